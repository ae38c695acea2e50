"""Sign-in cookies, form tokens, and the brake on guessed passwords."""

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from threading import Lock

from itsdangerous import BadSignature, URLSafeTimedSerializer

from claimwatch.records import User

COOKIE = "claimwatch"
LANGUAGE_COOKIE = "claimwatch_language"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What the signed cookie holds. Without a user it only binds the token of the sign-in form."""

    nonce: str
    user: int | None = None
    number: int = 0  #: the account's session number at sign-in; another one now means it has ended
    since: int = 0  #: the newest decision at sign-in: skips after it belong to this session


class Sessions:
    """Makes and reads session cookies, and the form tokens bound to them."""

    def __init__(self, key: bytes, hours: int) -> None:
        self.seconds = hours * 3600
        self._key = key
        self._serializer = URLSafeTimedSerializer(key, salt="claimwatch session")

    def anonymous(self) -> Session:
        """A session of nobody."""
        return Session(nonce=secrets.token_urlsafe(16))

    def begin(self, user: User, since: int) -> Session:
        """A fresh session of an account."""
        return Session(nonce=secrets.token_urlsafe(16), user=user.id, number=user.session, since=since)

    def seal(self, session: Session) -> str:
        """The cookie's value."""
        return self._serializer.dumps(asdict(session))

    def read(self, cookie: str | None) -> Session | None:
        """The session of a cookie; None where it is missing, forged or too old."""
        try:
            return Session(**self._serializer.loads(cookie or "", max_age=self.seconds))
        except (BadSignature, TypeError):
            return None

    def token(self, session: Session) -> str:
        """The token that every form of this session carries."""
        return hmac.new(self._key, f"form {session.nonce}".encode(), "sha256").hexdigest()

    def accepts(self, session: Session, token: str) -> bool:
        """Whether a form came from a page of this session."""
        return hmac.compare_digest(self.token(session).encode(), token.encode())


@dataclass
class Throttle:
    """Makes guessing a password slow: per account name, in this process; no addresses are kept."""

    tries: int = 5  #: wrong passwords that cost nothing
    wait: float = 30.0  #: seconds after the next one, doubled with each
    longest: float = 900.0
    timer: Callable[[], float] = time.monotonic
    _failures: dict[str, tuple[int, float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def seconds_left(self, name: str) -> float:
        """How long this name must wait; 0 when it may try."""
        with self._lock:
            _, until = self._failures.get(name.casefold(), (0, 0.0))
        return max(0.0, until - self.timer())

    def failed(self, name: str) -> None:
        """Note a wrong password."""
        with self._lock:
            count, until = self._failures.pop(name.casefold(), (0, 0.0))
            count = 1 if self.timer() - until > self.longest else count + 1
            wait = min(self.longest, self.wait * 2.0 ** min(count - self.tries, 20)) if count >= self.tries else 0.0
            self._failures[name.casefold()] = (count, self.timer() + wait)
            while len(self._failures) > 1000:  # invented names must not fill the memory
                del self._failures[next(iter(self._failures))]

    def succeeded(self, name: str) -> None:
        """Forget the wrong passwords of a name."""
        with self._lock:
            self._failures.pop(name.casefold(), None)

"""Readers' comments below articles of VnExpress."""

"""Variational (JKO) steps."""

"""Compiled loops. They take arrays and numbers, return nothing and own no memory; methods call them, users do not."""

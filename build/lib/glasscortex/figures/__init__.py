"""Figures: tables in, one matplotlib figure out."""

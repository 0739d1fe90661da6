"""Catalogue: published models and data sets, how they are fetched, whether they are whole."""

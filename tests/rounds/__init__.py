"""Tests of published rounds as data, and of the catalogue of rules."""

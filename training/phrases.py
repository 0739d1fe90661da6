"""Phrases: English sentences about numbers, with the one German sentence that a rule gives.

Numbers, ordinals, dates, times of day, sums, prices and years are spelled out, so that every
reference is exact. The German side differs as real translations do: units come before tens,
"half past six" is "halb sieben", and verbs move to the end.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from num2words import num2words

from phrase_words import (
    ACCUSATIVE,
    ADJECTIVES,
    APPOINTMENTS,
    BUILT,
    CITIES,
    DAYS,
    FAMILY,
    GOODS,
    MEASURED,
    MONTHS,
    OPERATIONS,
    PARTS_OF_DAY,
    ROWS,
    THINGS,
)

__all__ = ["Pair", "distinct_pairs"]

Pair = tuple[str, str]
"""An English phrase and its translation, words separated by one space."""


def distinct_pairs(count: int, seed: int) -> list[Pair]:
    """Give so many pairs in random order; no English and no German phrase comes twice."""
    random_source = random.Random(seed)
    found: dict[str, str] = {}
    translations: set[str] = set()
    while len(found) < count:
        make = random_source.choice(_TEMPLATES)
        english, german = make(random_source)
        if english not in found and german not in translations:
            found[english] = german
            translations.add(german)
    return list(found.items())


def _number(value: int) -> Pair:
    english = str(num2words(value, lang="en")).replace(",", "")
    return english, str(num2words(value, lang="de"))


def _ordinal(value: int) -> Pair:
    """Give an ordinal; the German one in the form after "der" and "die"."""
    english = str(num2words(value, lang="en", to="ordinal")).replace(",", "")
    return english, str(num2words(value, lang="de", to="ordinal"))


def _year(random_source: random.Random) -> Pair:
    value = random_source.randint(1701, 2029)
    return str(num2words(value, lang="en", to="year")), str(num2words(value, lang="de", to="year"))


def _amount(random_source: random.Random, digits: int = 4) -> Pair:
    """Give a number from 2 that stands before a plural, each length equally often."""
    length = random_source.randint(1, digits)
    while True:
        value = random_source.randint(max(2, 10 ** (length - 1)), 10**length - 1)
        if value % 100 != 1:  # "einhunderteins" would bend before a noun.
            return _number(value)


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _date(random_source: random.Random) -> tuple[Pair, Pair]:
    """Give "the third of May" with "dritte" and "Mai"."""
    day, month = _ordinal(random_source.randint(1, 30)), random_source.choice(MONTHS)
    return (f"the {day[0]} of {month[0]}", ""), (day[1], month[1])


def _clock(random_source: random.Random) -> Pair:
    hour = random_source.randint(1, 12)
    this, following = _number(hour), _number(hour % 12 + 1)
    kind = random_source.randrange(5)
    if kind == 0:
        full_hour = "ein" if hour == 1 else this[1]
        return f"{this[0]} o'clock", f"{full_hour} Uhr"
    if kind == 1:
        return f"half past {this[0]}", f"halb {following[1]}"
    minutes = random_source.choice([*range(2, 15), *range(16, 30)])
    amount = ("a quarter", "Viertel") if random_source.random() < 0.3 else _number(minutes)
    if kind in (2, 3):
        return f"{amount[0]} past {this[0]}", f"{amount[1]} nach {this[1]}"
    return f"{amount[0]} to {this[0]}", f"{amount[1]} vor {this[1]}"


def _counting(random_source: random.Random) -> Pair:
    amount, thing = _amount(random_source), random_source.choice(THINGS)
    kind = random_source.randrange(4)
    if kind == 0:
        looks = random_source.choice(ADJECTIVES)
        return f"{amount[0]} {looks[0]} {thing[0]}", f"{amount[1]} {looks[1]} {thing[1]}"
    if kind == 1:
        return f"we need {amount[0]} {thing[0]}", f"wir brauchen {amount[1]} {thing[1]}"
    if kind == 2:
        return (
            f"they have sold {amount[0]} {thing[0]}",
            f"sie haben {amount[1]} {thing[1]} verkauft",
        )
    city = random_source.choice(CITIES)
    return (
        f"there are {amount[0]} {thing[0]} in {city[0]}",
        f"in {city[1]} gibt es {amount[1]} {thing[1]}",
    )


def _sum(random_source: random.Random) -> Pair:
    operation = random_source.choice(OPERATIONS)
    first = random_source.randint(1, 99)
    second = random_source.randint(1, first if operation[0] == "minus" else 99)
    if operation[0] == "times":
        first, second = random_source.randint(1, 20), random_source.randint(1, 20)
    result = {"plus": first + second, "minus": first - second, "times": first * second}
    a, b, c = _number(first), _number(second), _number(result[operation[0]])
    return f"{a[0]} {operation[0]} {b[0]} is {c[0]}", f"{a[1]} {operation[1]} {b[1]} ist {c[1]}"


def _price(random_source: random.Random) -> Pair:
    english, article, german = random_source.choice(GOODS)
    euros = _amount(random_source, digits=3)
    if random_source.random() < 0.5:
        return (
            f"I have paid {euros[0]} euros for the {english}",
            f"ich habe für {ACCUSATIVE[article]} {german} {euros[1]} Euro bezahlt",
        )
    cents = _number(random_source.randint(2, 99))
    return (
        f"the {english} costs {euros[0]} euros and {cents[0]} cents",
        f"{article} {german} kostet {euros[1]} Euro und {cents[1]} Cent",
    )


def _day(random_source: random.Random) -> Pair:
    (english, _), (day, month) = _date(random_source)
    kind = random_source.randrange(3)
    if kind == 0:
        week_day = random_source.choice(DAYS)
        return (
            f"today is {week_day[0]} {english}",
            f"heute ist {week_day[1]} der {day} {month}",
        )
    year = _year(random_source)
    if kind == 1:
        return f"{english} {year[0]}", f"der {day} {month} {year[1]}"
    who = random_source.choice((("he", "er"), ("she", "sie")))
    return (
        f"{who[0]} was born on {english} {year[0]}",
        f"{who[1]} wurde am {day}n {month} {year[1]} geboren",
    )


def _in_year(random_source: random.Random) -> Pair:
    year, built = _year(random_source), random_source.choice(BUILT)
    return (
        f"{built[0]} was built in the year {year[0]}",
        f"{built[1]} wurde im Jahr {year[1]} gebaut",
    )


def _time(random_source: random.Random) -> Pair:
    clock = _clock(random_source)
    kind = random_source.randrange(3)
    if kind == 0:
        part = random_source.choice(PARTS_OF_DAY)
        return f"it is {clock[0]} {part[0]}", f"es ist {clock[1]} {part[1]}"
    english, german, prefix = random_source.choice(APPOINTMENTS)
    if kind == 1:
        return f"{english} at {clock[0]}", _join(german, "um", clock[1], prefix)
    week_day = random_source.choice(DAYS)
    return (
        f"{english} on {week_day[0]} at {clock[0]}",
        _join(german, "am", week_day[1], "um", clock[1], prefix),
    )


def _in_order(random_source: random.Random) -> Pair:
    place = _ordinal(random_source.randint(2, 199))
    english, article, german = random_source.choice(ROWS)
    kind = random_source.randrange(3)
    if kind == 0:
        return f"this is the {place[0]} {english}", f"das ist {article} {place[1]} {german}"
    ending = "n" if article == "der" else ""
    if kind == 1:
        return (
            f"we are looking for the {place[0]} {english}",
            f"wir suchen {ACCUSATIVE[article]} {place[1]}{ending} {german}",
        )
    who = random_source.choice((("he", "er"), ("she", "sie")))
    return f"{who[0]} lives on the {place[0]} floor", f"{who[1]} wohnt im {place[1]}n Stock"


def _measure(random_source: random.Random) -> Pair:
    kind = random_source.randrange(3)
    if kind == 0:
        amount, city = _amount(random_source), random_source.choice(CITIES)
        return (
            f"it is {amount[0]} kilometres to {city[0]}",
            f"bis {city[1]} sind es {amount[1]} Kilometer",
        )
    if kind == 1:
        who, amount = random_source.choice(FAMILY), _amount(random_source, digits=2)
        return f"my {who[0]} is {amount[0]} years old", f"{who[1]} ist {amount[1]} Jahre alt"
    what, amount = random_source.choice(MEASURED), _amount(random_source)
    return f"{what[0]} {amount[0]} metres {what[1]}", f"{what[2]} {amount[1]} Meter {what[3]}"


def _rate(random_source: random.Random) -> Pair:
    whole, part = _number(random_source.randint(0, 99)), _number(random_source.randint(1, 9))
    verb = random_source.choice((("rises", "steigt"), ("falls", "sinkt")))
    return (
        f"the price {verb[0]} by {whole[0]} point {part[0]} percent",
        f"der Preis {verb[1]} um {whole[1]} Komma {part[1]} Prozent",
    )


def _digits(random_source: random.Random) -> Pair:
    digits = [_number(random_source.randint(0, 9)) for _ in range(random_source.randint(3, 6))]
    return (
        _join("the number is", *(digit[0] for digit in digits)),
        _join("die Nummer ist", *(digit[1] for digit in digits)),
    )


_TEMPLATES: tuple[Callable[[random.Random], Pair], ...] = (
    _counting,
    _sum,
    _price,
    _day,
    _in_year,
    _time,
    _in_order,
    _measure,
    _rate,
    _digits,
)

"""Words: what the phrases are filled with, English and German, with articles and endings."""

__all__ = [
    "ACCUSATIVE",
    "ADJECTIVES",
    "APPOINTMENTS",
    "BUILT",
    "CITIES",
    "DAYS",
    "FAMILY",
    "GOODS",
    "MEASURED",
    "MONTHS",
    "OPERATIONS",
    "PARTS_OF_DAY",
    "ROWS",
    "THINGS",
]

MONTHS = (
    ("January", "Januar"),
    ("February", "Februar"),
    ("March", "März"),
    ("April", "April"),
    ("May", "Mai"),
    ("June", "Juni"),
    ("July", "Juli"),
    ("August", "August"),
    ("September", "September"),
    ("October", "Oktober"),
    ("November", "November"),
    ("December", "Dezember"),
)
DAYS = (
    ("Monday", "Montag"),
    ("Tuesday", "Dienstag"),
    ("Wednesday", "Mittwoch"),
    ("Thursday", "Donnerstag"),
    ("Friday", "Freitag"),
    ("Saturday", "Samstag"),
    ("Sunday", "Sonntag"),
)
PARTS_OF_DAY = (
    ("in the morning", "am Morgen"),
    ("in the afternoon", "am Nachmittag"),
    ("in the evening", "am Abend"),
)
THINGS = (
    ("books", "Bücher"),
    ("houses", "Häuser"),
    ("trees", "Bäume"),
    ("cars", "Autos"),
    ("bottles", "Flaschen"),
    ("chairs", "Stühle"),
    ("apples", "Äpfel"),
    ("letters", "Briefe"),
    ("boxes", "Kisten"),
    ("stones", "Steine"),
    ("flowers", "Blumen"),
    ("ships", "Schiffe"),
    ("birds", "Vögel"),
    ("horses", "Pferde"),
    ("lamps", "Lampen"),
    ("keys", "Schlüssel"),
)
ADJECTIVES = (
    ("red", "rote"),
    ("old", "alte"),
    ("new", "neue"),
    ("small", "kleine"),
    ("large", "große"),
    ("green", "grüne"),
    ("heavy", "schwere"),
    ("beautiful", "schöne"),
)
GOODS = (
    ("book", "das", "Buch"),
    ("ticket", "die", "Fahrkarte"),
    ("table", "der", "Tisch"),
    ("lamp", "die", "Lampe"),
    ("bread", "das", "Brot"),
    ("coat", "der", "Mantel"),
    ("shirt", "das", "Hemd"),
    ("watch", "die", "Uhr"),
    ("ring", "der", "Ring"),
    ("cheese", "der", "Käse"),
)
ROWS = (
    ("chapter", "das", "Kapitel"),
    ("page", "die", "Seite"),
    ("house", "das", "Haus"),
    ("question", "die", "Frage"),
    ("day", "der", "Tag"),
    ("letter", "der", "Brief"),
    ("window", "das", "Fenster"),
    ("street", "die", "Straße"),
    ("train", "der", "Zug"),
    ("lesson", "die", "Lektion"),
)
CITIES = (
    ("Berlin", "Berlin"),
    ("Vienna", "Wien"),
    ("Munich", "München"),
    ("Cologne", "Köln"),
    ("Zurich", "Zürich"),
    ("Hamburg", "Hamburg"),
    ("Prague", "Prag"),
    ("Rome", "Rom"),
)
FAMILY = (
    ("brother", "mein Bruder"),
    ("sister", "meine Schwester"),
    ("father", "mein Vater"),
    ("mother", "meine Mutter"),
    ("uncle", "mein Onkel"),
    ("aunt", "meine Tante"),
)
MEASURED = (
    ("the tower is", "high", "der Turm ist", "hoch"),
    ("the river is", "wide", "der Fluss ist", "breit"),
    ("the bridge is", "long", "die Brücke ist", "lang"),
    ("the lake is", "deep", "der See ist", "tief"),
    ("the wall is", "high", "die Mauer ist", "hoch"),
    ("the ship is", "long", "das Schiff ist", "lang"),
)
BUILT = (
    ("the house", "das Haus"),
    ("the church", "die Kirche"),
    ("the bridge", "die Brücke"),
    ("the school", "die Schule"),
    ("the castle", "das Schloss"),
)
APPOINTMENTS = (
    ("the train leaves", "der Zug fährt", "ab"),
    ("the film begins", "der Film fängt", "an"),
    ("the shop opens", "das Geschäft macht", "auf"),
    ("the ship arrives", "das Schiff kommt", "an"),
    ("we meet", "wir treffen uns", ""),
    ("the lesson ends", "der Unterricht endet", ""),
)
ACCUSATIVE = {"der": "den", "die": "die", "das": "das"}
OPERATIONS = (("plus", "plus"), ("minus", "minus"), ("times", "mal"))

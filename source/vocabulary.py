"""Words the seed and the generator write: invented people, places and phrases in several scripts.

Nobody and nothing here is real; postcodes use letters and phones use numbers that are not given out.
"""

from __future__ import annotations

import json
from itertools import accumulate
from random import Random

NUMBER_OF_PARTNERS = 240

GIVEN = (
    "Ana", "Bram", "Çağla", "Dmitri", "Élise", "Farid", "Greta", "Håkon", "Ines", "Jörg", "Kaia", "Ličo", "Mina",
    "Nuño", "Oda", "Påls", "Quin", "Rúna", "Søren", "Tèa", "Ugo", "Věra", "Wim", "Xana", "Ýmir", "Zoë",
    "美玲", "子轩", "さくら", "서연", "Мира", "Олекса", "נועה", "ليلى", "यूसुफ", "สมใจ", "Ελπίς", "თამარ",
)  # fmt: skip
FAMILY = (
    "Abelwick", "Brontveld", "Castellmar", "Dunnefjord", "Eskelund", "Ferrowind", "Grünhügel", "Hollowmere",
    "Ibarrola-Quist", "Jaskółka", "Kestrelby", "L'Anselme", "Møllerkvist", "Nakagori", "O'Dunnary", "Peñaverde",
    "Quillfeather", "Ramshorne", "Søndervig", "Tornqvist", "Überfeld", "Vantongeren", "Wexmoor", "Yarrowdale",
    "王陵", "佐野原", "한누리", "Заречанский", "בן־גפן", "النهري", "वनवासी", "ทุ่งทอง", "Πετροβούνης",
)  # fmt: skip
STREETS = (
    "Lantern Street", "Old Ferry Road", "Quarry Lane", "Rue du Héron", "Chemin des Érables", "Windmill Crescent",
    "Tamarack Way", "Copperfield Mews", "望江路", "竹林巷", "夕日通り", "달빛로", "улица Ветряная", "שדרות הגפן",
    "شارع الياسمين", "बरगद मार्ग", "ถนนสายหมอก", "Straße am Mühlbach", "Otter Bend", "Signal Hill Close",
)  # fmt: skip
CITIES = (
    ("Northhaven", "OT", "D1A"), ("Maplewick", "OT", "D4K"), ("Port Saltern", "BT", "F6B"),
    ("Grand Ruisseau", "QT", "I2X"),
    ("Cedar Flats", "AT", "O5J"), ("Lac-aux-Brumes", "QT", "I7H"), ("Stonebridge", "MT", "U3C"),
    ("Heron Bay", "NT", "W3L"),
    ("Fort Wren", "ST", "Z4P"), ("Silverton Mills", "OT", "D9V"), ("New Aldermoor", "NT", "W1E"),
    ("河口鎮", "BT", "F7A"),
)  # fmt: skip
WAREHOUSES = (7, 7, 7, 7, 3, 3, 3, 11, 11, 12, 15, 18, 21, 22, 30, 41)

HAPPENED: dict[int, tuple[str, ...]] = {
    190: ("Label created", "Shipment information received", "已建單，等待攬收", "Étiquette créée"),
    195: ("In transit to gateway", "Departed origin 🚚", "En route vers la plaque tournante", "運往轉運中心"),
    199: ("Arrived at gateway", "Arrivé au centre de tri", "已到達轉運中心", "وصلت إلى المحطة"),
    200: ("Sorted", "Scanned by sorter", "已分揀", "Trié", "ממוין"),
    201: ("Handed to driver", "Loaded on van", "已交給司機", "Chargé"),
    202: ("Out for delivery", "En livraison 📦", "派送中", "В доставке", "קעת במשלוח"),
    203: ("Delivered", "Delivered 🎉 left at door", "已簽收", "Livré", "تم التسليم", "Доставлено"),
    211: (
        "Delivery attempted, nobody home",
        "派送失敗：無人應答",
        "Tentative échouée",
        'Customer asked: "later"',
    ),
    215: ("Address problem", "Unit number missing\\wrong", "地址不詳", "Adresse incomplète"),
    220: ("At depot, waiting for pick-up", "到店待取", "En attente de retrait"),
    231: ("Damaged in sorting 💥", "Endommagé"),
    232: ("Returned to sender", "退回寄件人", "Retour à l'expéditeur"),
}
"""What the receiver reads, by state."""

PLACES = (
    "Gateway North",
    "Gateway South",
    "Depot 3",
    "Depot 11",
    "轉運中心 A",
    "Centre de tri Est",
    "Van",
    "Porch",
    "UNKNOWN",
)
REMARKS = (
    "Leave with concierge", "Fragile! Ne pas plier", "易碎，請勿重壓", "أرجو الاتصال قبل الوصول", "נא לצלצל פעמיים",
    "ring twice 🔔🔔", "Позвонить за час", "二階の玄関へ 🙏🏽", "Gift: 👩‍👩‍👧‍👦 do not show price",
    "Côté cour, bâtiment B",
)  # fmt: skip


def phone(r: Random) -> str:
    """A number nobody has, written in one of the ways people write it."""
    n = r.randrange(100, 200)
    return r.choice(
        (f"+1 200 555 0{n}", f"(200) 555-0{n}", f"2005550{n}", f"+1-200-555-0{n} ext. {r.randrange(10, 99)}")
    )


def postcode(r: Random, area: str) -> str:
    """Six characters with or without the space; now and then five digits with a leading zero."""
    if r.random() < 0.06:
        return f"{r.randrange(100, 9999):05d}"
    tail = f"{r.randrange(10)}{r.choice('ABCEGHJKLMNPRSTVWXYZ')}{r.randrange(10)}"
    return f"{area} {tail}" if r.random() < 0.8 else f"{area}{tail}".lower()


def name(r: Random) -> str:
    """An invented person."""
    return f"{r.choice(GIVEN)} {r.choice(FAMILY)}"


def attributes(r: Random) -> str:
    """JSON as a partner sends it: nested, any script, numbers of every kind, keys in the partner's order."""
    value: dict[str, object] = {
        "source": r.choice(("shop", "api", "批量", "marketplace")),
        "lines": [
            {
                "sku": f"SKU-{r.randrange(10_000):04d}",
                "qty": r.randrange(1, 5),
                "price": r.choice((1.0, 9.99, 0.1, 250, 1e-7)),
            }
            for _ in range(r.choice((1, 1, 1, 2, 3)))
        ],
        "gift": r.random() < 0.1,
    }
    if r.random() < 0.3:
        value["a"] = r.choice((None, "", "née", "\u2028", "😀", 'back\\slash "quoted"', [], {}, [[1, [2.50]]]))
    if r.random() < 0.15:
        value["z big"] = r.choice((1e30, 2**63, 2**64 - 1, -(2**63), 2**53 + 1, 1.5e-300, -0.5, 100.0))
    items = list(value.items())
    r.shuffle(items)
    return json.dumps(dict(items), ensure_ascii=r.random() < 0.2, separators=r.choice(((",", ":"), (", ", ": "))))


def _partners() -> tuple[tuple[int, ...], tuple[int, ...]]:
    ids = [1000 + 7 * i for i in range(NUMBER_OF_PARTNERS)]
    Random("partners").shuffle(ids)
    return tuple(ids), tuple(accumulate(int(1_000_000 / rank**1.1) for rank in range(1, NUMBER_OF_PARTNERS + 1)))


PARTNERS, PARTNER_WEIGHTS = _partners()
"""Partner ids and their cumulative weights: a few send most (Zipf, exponent 1.1)."""

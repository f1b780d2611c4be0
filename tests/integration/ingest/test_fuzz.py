"""Spoiled messages among real ones: every bad one is set aside untouched, every other one is loaded.

What is bad is said by tests/fuzz/oracle.py. `make fuzz SEED=n N=n` for another seed and the long form.
"""

from __future__ import annotations

import base64
import json
import lzma
import os
import random
import secrets
from collections import Counter
from collections.abc import Iterator
from typing import Any

import fastavro
import pytest
import yaml
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from cli import ingest
from consumers.decoder import FastavroDecoder
from consumers.decoding import DecodedBatch, Decoding
from consumers.messages import Messages, MicroBatch
from consumers.native_decoder import NativeDecoder
from consumers.registry import CCOMPAT
from consumers.source_columns import source_column
from consumers.streams import Shape, Stream
from tests.conftest import ROOT
from tests.fuzz.mutations import STRANGERS, Mutations, Pair
from tests.fuzz.oracle import Oracle
from tests.integration.ingest.workshop import read_topic
from tests.pipeline_on_stack import PipelineOnStack, pipeline_on_stack
from tests.unit.consumers.debezium import message
from warehouse.change import apply
from warehouse.schema import RawTable, plan
from warehouse.session import Session
from waybill import raw
from waybill.addresses import Addresses

TABLES = ("ecs_order_info", "uni_tracking_info", "uni_tracking_spath")
SEED = int(os.environ.get("SEED") or secrets.randbelow(10**6))
SPOILED = int(os.environ.get("N") or 2_000)
MOST_BYTES = 16 * 2**20


class Fuzz:
    """Recorded messages under this stack's schema ids, and a stream of them with spoiled ones among them."""

    def __init__(self, pipeline: PipelineOnStack, seed: int) -> None:
        recorded = json.loads(lzma.decompress((ROOT / "tests" / "fuzz" / "recorded.json.xz").read_bytes()))
        self.pipeline, self.database = pipeline, str(recorded["database"])
        addresses = pipeline.servers.addresses
        client = SchemaRegistryClient({"url": addresses.registry.url + CCOMPAT})
        self.texts: dict[int, str] = {}
        ids: dict[int, int] = {}
        for number, text in recorded["schemas"].items():
            ids[int(number)] = self._register(client, f"fuzz-{number}", text)
        for number, schema in enumerate(STRANGERS):
            self._register(client, f"fuzz-stranger-{number}", json.dumps(schema))
        self.parsed = {n: fastavro.parse_schema(json.loads(text)) for n, text in self.texts.items()}

        def here(text: str | None) -> bytes | None:
            data = None if text is None else base64.b64decode(text)
            return data and data[:1] + ids[int.from_bytes(data[1:5], "big")].to_bytes(4, "big") + data[5:]

        self.good: dict[str, list[Pair]] = {
            table: [(here(key), here(value)) for key, value in recorded["messages"][table]] for table in TABLES
        }
        self.chance = random.Random(seed)
        self.mutations = Mutations(self.chance, list(self.texts), self.parsed)
        self.ways: Counter[str] = Counter()

    def _register(self, client: Any, subject: str, text: str) -> int:
        """Its id; a subject of its own run, so that no compatibility rule refuses it."""
        number = int(client.register_schema(f"{self.pipeline.name}-{subject}", Schema(text, "AVRO")))
        self.texts[number] = text
        return number

    def stream(self, table: str, spoiled: int) -> list[Pair]:
        """As many good messages as spoiled ones, in any order."""
        good = self.good[table]
        found = [self.chance.choice(good) for _ in range(spoiled)]
        for _ in range(spoiled):
            way, pair = self.mutations.mutate(self.chance.choice(good), good)
            self.ways[way] += 1
            found.append(pair)
        self.chance.shuffle(found)
        return found

    def columns(self, table: str) -> list[Any]:
        """The source's columns, by the newest recorded schema."""
        value = self.good[table][0][1] or b""
        schema = json.loads(self.texts[int.from_bytes(value[1:5], "big")])
        return [source_column(field) for field in schema["fields"][0]["type"][1]["fields"]]


@pytest.fixture(scope="module")
def fuzz(stack: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzz]:
    with pipeline_on_stack(f"t{secrets.token_hex(4)}", tmp_path_factory.mktemp("fuzz"), stack) as pipeline:
        made = Fuzz(pipeline, SEED)
        _prepare(made)
        yield made


def _prepare(fuzz: Fuzz) -> None:
    """Pipeline file, raw tables and topics, as if the recorded database were this pipeline's."""
    pipeline = fuzz.pipeline
    path = pipeline.write_file()
    settings = yaml.safe_load(path.read_text())
    settings["consume"] = {"dead_letters_in_a_row": 10**6, "dead_letters_percent": 100, "unknown_schema_seconds": 0}
    settings["tables"] = [
        {"source": f"{fuzz.database}.{table}", "key": ["order_id"], "batch": {"rows": 700, "seconds": 0.5}}
        for table in TABLES
    ]
    path.write_text(yaml.safe_dump(settings))
    with Session(_warehouse(pipeline), "fuzz") as session:
        raws = [RawTable.of_source(f"{table}_raw", fuzz.columns(table), f"{fuzz.database}.{table}") for table in TABLES]
        raws.append(RawTable.of_stream(raw.TRANSACTION_TABLE, raw.TRANSACTION))
        raws.append(RawTable.of_stream(raw.NOTIFICATION_TABLE, raw.NOTIFICATION))
        raws.append(RawTable.of_stream(raw.SCHEMA_CHANGE_TABLE, raw.SCHEMA_CHANGE))
        apply(session, plan(session, raws, []))


def _warehouse(pipeline: PipelineOnStack) -> Any:
    return pipeline.servers.addresses.warehouse.model_copy(update={"database": pipeline.servers.database})


def _write(fuzz: Fuzz, topic: str, pairs: list[Pair]) -> None:
    bootstrap = fuzz.pipeline.servers.addresses.kafka.bootstrap
    new = NewTopic(topic, num_partitions=3, config={"max.message.bytes": str(MOST_BYTES)})
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([new])[topic].result(30)
    producer = Producer({"bootstrap.servers": bootstrap, "message.max.bytes": MOST_BYTES, "linger.ms": 20})
    for number, (key, value) in enumerate(pairs):
        producer.produce(topic, key=key, value=value, partition=number % 3)
        if number % 200 == 199:
            producer.flush(60)
    assert producer.flush(60) == 0


@pytest.mark.timeout(1800)
def test_every_bad_message_is_set_aside_untouched_and_every_other_one_is_loaded(fuzz: Fuzz) -> None:
    print(f"SEED={SEED} N={SPOILED}")
    pipeline, kafka = fuzz.pipeline, fuzz.pipeline.servers.addresses.kafka.bootstrap
    bad: dict[tuple[str, int, int], Any] = {}
    reasons: dict[tuple[str, int, int], str] = {}
    good: dict[str, set[tuple[int, int]]] = {}
    for table in TABLES:
        topic = f"{pipeline.name}.{fuzz.database}.{table}"
        _write(fuzz, topic, fuzz.stream(table, SPOILED // len(TABLES)))
        oracle = Oracle(fuzz.texts, _columns(pipeline, table), f"{fuzz.database}.{table}")
        good[table] = set()
        for one in read_topic(kafka, topic):
            place = (topic, one.partition(), one.offset())
            reasons[place] = oracle.verdict(one.key(), one.value())
            if reasons[place]:
                bad[place] = one
            else:
                good[table].add(place[1:])
    print(f"{len(bad)} bad, {sum(map(len, good.values()))} good; {dict(fuzz.ways)}")

    pipeline.does("consume", "--until-caught-up", seconds=900)

    letters = {}
    for letter in read_topic(kafka, f"{pipeline.name}.dead-letters"):
        said = {name: value.decode() for name, value in letter.headers() or []}
        letters[said["waybill.topic"], int(said["waybill.partition"]), int(said["waybill.offset"])] = letter, said
    wrong = {place: reasons[place] or letters[place][1]["waybill.error"] for place in letters.keys() ^ bad.keys()}
    assert wrong == {}, (
        f"SEED={SEED}: {len(wrong)} judged otherwise than by the oracle: {dict(list(wrong.items())[:5])}"
    )
    for place, (letter, _) in letters.items():
        assert (letter.key(), letter.value()) == (bad[place].key(), bad[place].value()), f"SEED={SEED}: {place}"
    for table in TABLES:
        rows = pipeline.servers.rows(f'SELECT "_partition", "_offset" FROM settlement_public.{table}_raw')
        assert len(rows) == len(set(rows)) and set(rows) == good[table], f"SEED={SEED}: {table}"
        counted = pipeline.servers.row(
            f"SELECT sum(row_count), sum(dead_letters) FROM settlement_public.{table}_raw_ledger"
        )
        assert tuple(map(int, counted)) == (len(rows), sum(table in place[0] for place in bad))
    assert pipeline.servers.rows("SELECT * FROM settlement_public.table_states WHERE state <> 'running'") == []


def test_both_decoders_agree_on_every_spoiled_message(fuzz: Fuzz) -> None:
    print(f"SEED={SEED}")

    class Registry:
        def text(self, schema_id: int) -> str:
            return fuzz.texts[schema_id]

    for table in TABLES:
        pairs = fuzz.stream(table, SPOILED // len(TABLES))
        messages = [message(offset, *pair) for offset, pair in enumerate(pairs)]
        name = f"{fuzz.database}.{table}"
        stream = Stream(name, f"{table}_raw", name, Shape.ROWS, ingest.Batching(), 2**30)
        batch = MicroBatch(0, len(messages), Messages.of(messages), 0)
        fast, plain = (
            Decoding(Registry(), decoder, 10**9).decode(stream, 0, batch)
            for decoder in (NativeDecoder(FastavroDecoder()), FastavroDecoder())
        )
        assert _letters(fast) == _letters(plain), f"SEED={SEED}: {table}"
        assert fast.table.schema == plain.table.schema
        assert fast.table.to_pylist() == plain.table.to_pylist(), f"SEED={SEED}: {table}"


def _letters(decoded: DecodedBatch) -> list[int]:
    return [letter.offset for letter in decoded.letters]


def _columns(pipeline: PipelineOnStack, table: str) -> dict[str, tuple[Any, ...]]:
    found = pipeline.servers.rows(
        "SELECT column_name, data_type, character_maximum_length, numeric_precision, numeric_scale"
        " FROM information_schema.columns WHERE table_schema = 'settlement_public' AND table_name = %s",
        f"{table}_raw",
    )
    return {name: tuple(rest) for name, *rest in found}

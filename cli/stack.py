"""`waybill stack`: the local stack of this checkout."""

from __future__ import annotations

import shlex
from dataclasses import asdict

import click

from cli.context import json_option, print_json, print_table
from stack import choose
from stack.catalogue import ALL
from stack.layout import Layout
from stack.way import Controls, ServiceStatus, Way
from waybill.addresses import Addresses
from waybill.errors import SettingsError, UnreachableError

NAMES = [each.name for each in ALL]
service_argument = click.argument("service", type=click.Choice(NAMES))


@click.group()
def stack() -> None:
    """The local stack: MySQL, Kafka, registry, Connect, S3 and the warehouse.

    Ports and data are this checkout's own. Example: waybill stack up
    """


@stack.command()
@click.option("--native", "wanted", flag_value=choose.NATIVE, help="Processes of this machine.")
@click.option("--compose", "wanted", flag_value=choose.COMPOSE, help="Containers.")
@click.option("--monitoring", is_flag=True, help="Prometheus too, and in containers Grafana with the dashboards.")
@json_option
def up(wanted: str | None, monitoring: bool, as_json: bool) -> None:
    """Start what does not run, and return when every service works.

    Takes containers if an engine answers and has or can get the images, else processes of this machine, for
    which it downloads what is missing. Nothing is started when the environment names all services.

    Example: waybill stack up --native
    """
    layout = Layout.here()
    if choose.brought(layout):
        click.echo("every service's address is set in the environment or .env: nothing is started", err=True)
        if as_json:
            print_json({"way": "brought", "addresses": Addresses.load(layout.root).plain()})
        return
    choice = choose.choose(layout, wanted)
    click.echo(f"the {choice.name} way: {choice.why}", err=True)
    choose.remember(layout, choice.name)
    choice.way.up(monitoring)
    if as_json:
        print_json({"way": choice.name, "addresses": choice.way.addresses()})
    else:
        _print_status(choice.way.status())
        click.echo("next: waybill demo; logs: waybill stack logs SERVICE; stop: waybill stack down", err=True)


@stack.command()
@json_option
def status(as_json: bool) -> int:
    """Each service: does it run, where, since when, with how much memory.

    Exits with 1 when a service does not run. Example: waybill stack status --json
    """
    layout = Layout.here()
    name = choose.taken(layout) or choose.NATIVE
    found = choose.way(name, layout).status()
    if as_json:
        print_json({"way": name, "services": [asdict(each) for each in found]})
    else:
        _print_status(found)
    return 0 if all(each.state == "running" for each in found) else 1


@stack.command()
@service_argument
@click.option("-n", "--lines", default=50, show_default=True, help="How many lines of its end.")
@click.option("-f", "--follow", is_flag=True, help="Go on as it is written, until Ctrl-C.")
def logs(service: str, lines: int, follow: bool) -> None:
    """The end of a service's log.

    Example: waybill stack logs connect -n 200 -f
    """
    _way().logs(service, lines, follow)


@stack.command()
@click.option("--wipe", is_flag=True, help="Remove its data too.")
@click.option("--dry-run", is_flag=True, help="Say what would be stopped and removed.")
def down(wipe: bool, dry_run: bool) -> None:
    """Stop every service. The data stay unless --wipe is given.

    Example: waybill stack down --wipe
    """
    layout = Layout.here()
    name = choose.taken(layout) or choose.NATIVE
    way = choose.way(name, layout)
    if dry_run:
        running = [each.name for each in way.status() if each.state == "running"]
        click.echo(f"would stop: {', '.join(running) or 'nothing'}")
        click.echo(f"would remove: {'all data of the ' + name + ' stack' if wipe else 'nothing'}")
        return
    way.down(wipe)
    if wipe:
        choose.remember(layout, None)


@stack.command()
@json_option
def env(as_json: bool) -> None:
    """Every address as shell exports, or as one object.

    Values of the environment and of .env come before those of the local stack.
    Example: eval "$(waybill stack env)"
    """
    layout = Layout.here()
    if not layout.addresses_file.is_file() and not choose.brought(layout):
        raise UnreachableError("the stack of this checkout does not run", todo="waybill stack up")
    addresses = Addresses.load(layout.root)
    if as_json:
        print_json(addresses.plain())
        return
    for name, value in addresses.environment().items():
        click.echo(f"export {name}={shlex.quote(value)}")


@stack.command()
@service_argument
def restart(service: str) -> None:
    """End one service in its own way and start it again; its data stay.

    Example: waybill stack restart connect
    """
    way = _controls()
    way.stop(service)
    way.start(service)


@stack.command()
@service_argument
def kill(service: str) -> None:
    """SIGKILL one service, to see what survives it. `waybill stack up` starts it again.

    Example: waybill stack kill kafka
    """
    _controls().kill(service)
    click.echo(f"{service} is killed; start it again: waybill stack up", err=True)


def _way() -> Way:
    layout = Layout.here()
    return choose.way(choose.taken(layout) or choose.NATIVE, layout)


def _controls() -> Controls:
    way: object = _way()
    if not isinstance(way, Controls):
        raise SettingsError(
            "single services of a stack in containers are handled by compose itself",
            todo="docker compose restart SERVICE, docker compose kill SERVICE",
        )
    return way


def _print_status(found: list[ServiceStatus]) -> None:
    rows = [
        (
            each.name,
            each.state,
            each.version,
            each.address,
            str(each.pid or ""),
            f"{each.memory} MB" if each.memory else "",
            _since(each.uptime),
            each.note,
        )
        for each in found
    ]
    header = ("service", "state", "version", "address", "pid", "memory", "up for", "")
    print_table("", header, rows)
    total = sum(each.memory for each in found)
    if total:
        click.echo(f"memory in all: {total} MB")


def _since(seconds: float) -> str:
    if not seconds:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"

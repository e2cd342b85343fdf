"""A server with a password: it lets in whoever knows it, nobody else, and tells it to nobody on the machine."""

import sys
import urllib.request

import psutil
import pytest
from chromium import free_port, serving
from conftest import watched_pages

WORD = "open-sesame-4711"

pytestmark = pytest.mark.ui


def test_a_password_lets_in_who_knows_it_and_is_told_to_nobody(browser):
    """One server for all of it, started as the documentation says: it warms all pages before it answers."""
    port = free_port()
    command = [sys.executable, "-m", "workbench.cli", "serve", "--port", str(port), "--password", WORD]
    with serving(command, port) as (address, process):
        nobody_gets_in_without(address)
        the_login_page_repeats_no_markup_of_the_address(address)
        the_password_is_in_no_list_of_processes(process)
        a_visitor_logs_in_and_sees_a_page(browser, address)


def nobody_gets_in_without(address):
    with urllib.request.urlopen(f"{address}/games") as answer:
        assert "/login" in answer.url
        assert b"sentence" not in answer.read()


def the_login_page_repeats_no_markup_of_the_address(address):
    with urllib.request.urlopen(f"{address}/login?error=%3Cscript%3Ealert(1)%3C/script%3E") as answer:
        assert b"<script>alert" not in answer.read()


def the_password_is_in_no_list_of_processes(process):
    server = psutil.Process(process.pid)
    everybody = [server, *server.children(recursive=True)]
    assert len(everybody) >= 2
    for one in everybody:
        assert WORD not in " ".join(one.cmdline())


def a_visitor_logs_in_and_sees_a_page(browser, address):
    with watched_pages(browser, address) as open_page:
        page = open_page("home")
        assert "/login" in page.url
        page.get_by_label("Password", exact=True).fill("wrong")
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("alert").filter(has_text="Invalid").wait_for()
        page.get_by_label("Password", exact=True).fill(WORD)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("navigation", name="Rooms").wait_for()
        page.goto(f"{address}/flows?tab=directions")
        page.locator(".sentence").first.wait_for()

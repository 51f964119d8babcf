"""What tests of hooks share: signed events of every platform, a platform's API, a service.

`onebot_message`, `signed`, `spawn_service` and `deliver` need no pytest: a load test can use them.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import yaml
from starlette.testclient import TestClient

from engine.moderation.ledger import Ledger
from engine.service.app import create_app
from engine.service.platforms.wecom_crypto import Envelopes, signature
from engine.service.wiring import open_parts
from engine.settings import Settings

AD = "兼职代发作品一单五块，有手机就能做，需要的加我"
RUDE = "你是不是脑子有病，滚出去别在这丢人现眼"
SECRET = "a-secret-of-48-characters"  # noqa: S105
TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"  # noqa: S105
AES_KEY = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"
ACCOUNT = "99"
GROUP = 500


def onebot_message(text, id, *, sender=10001, role="member", card="小满", mentions=(), **more):
    """A group message as OneBot posts it; `text` may be a list of segments."""
    ats = [{"type": "at", "data": {"qq": str(person)}} for person in mentions]
    said = [{"type": "text", "data": {"text": text}}] if isinstance(text, str) else text
    return {
        "time": int(time.time()), "self_id": int(ACCOUNT), "post_type": "message",
        "message_type": "group", "sub_type": "normal", "message_id": id, "group_id": GROUP,
        "user_id": sender, "message": said + ats, "raw_message": "", "font": 0,
        "sender": {"user_id": sender, "nickname": card, "card": "", "role": role},
    } | more  # fmt: skip


def onebot_joined(sender, **more):
    """Somebody joined a QQ group."""
    return {
        "time": int(time.time()), "self_id": int(ACCOUNT), "post_type": "notice",
        "notice_type": "group_increase", "group_id": GROUP, "user_id": sender,
    } | more  # fmt: skip


def signed(event, secret=SECRET, account=ACCOUNT):
    """An event of OneBot as a request: its headers and its body."""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    digest = hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Self-ID": account,
        "X-Signature": f"sha1={digest}",
    }
    return headers, body


def telegram_update(said, id, *, sender=7, edited=False, message=None, **more):
    """A message in a Telegram group."""
    sent = {
        "message_id": message or id, "date": int(time.time()), "text": said,
        "chat": {"id": -100500, "type": "supergroup", "title": "群"},
        "from": {"id": sender, "is_bot": False, "first_name": "小满"},
    }  # fmt: skip
    if edited:
        sent["edit_date"] = int(time.time())
    return {"update_id": id, "edited_message" if edited else "message": sent | more}


def wecom_callback(xml, token=SECRET, aes_key=AES_KEY, when=None):
    """A sealed callback of WeCom: its query and its body."""
    encrypted = Envelopes(aes_key, "").seal(xml)
    stamp, nonce = str(int(when or time.time())), "n0nce"
    query = {
        "timestamp": stamp, "nonce": nonce,
        "msg_signature": signature(token, stamp, nonce, encrypted),
    }  # fmt: skip
    return query, f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode()


def wecom_message(text, id, sender="zhangsan"):
    """What somebody said to a group robot."""
    return (
        f"<xml><From><UserId>{sender}</UserId><Name>小满</Name></From><ChatId>wr1</ChatId>"
        f"<ChatType>group</ChatType><MsgId>{id}</MsgId><MsgType>text</MsgType>"
        f"<Text><Content><![CDATA[{text}]]></Content></Text></xml>"
    )


class Api:
    """The API of all platforms on loopback; remembers what it was asked."""

    def __init__(self):
        self.made = []
        self.failing = 0
        """So many requests are answered 503 first."""
        self.chats = {}
        """Id of a forwarded chat → what OneBot's API answers when it is asked for."""
        self.asked = []
        """The ids of the chats that were asked for."""
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                parameters = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                method = self.path.partition("?")[0].rpartition("/")[2]
                failed = api.failing > 0
                told = {"status": "ok", "retcode": 0, "data": None, "ok": True, "errcode": 0}
                if failed:
                    api.failing -= 1
                elif method == "get_forward_msg":
                    api.asked.append(parameters["id"])
                    told = api.chats.get(parameters["id"], {"status": "failed", "retcode": 1404})
                else:
                    api.made.append((method, parameters))
                answer = told if isinstance(told, bytes) else json.dumps(told).encode()
                self.send_response(503 if failed else 200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def methods(self):
        return [method for method, _ in self.made]

    @property
    def said(self):
        return texts_of(self.made)


def texts_of(made):
    """All that was said by some calls."""
    texts = []
    for _, asked in made:
        message = asked.get("message") or asked.get("text") or ""
        if isinstance(message, list):
            message = "".join(part["data"].get("text", "") for part in message)
        if isinstance(message, dict):
            message = message["content"]
        if message:
            texts.append(message)
    return texts


@contextmanager
def platform_api() -> Iterator[Api]:
    """An API that is there for a while."""
    api = Api()
    try:
        yield api
    finally:
        api.close()


def write_bots(path, api, *, mode="api", implementation="all", only=("qq", "tg", "wc"), **default):
    """A bots file with a bot of every platform; live, unless `default` says otherwise."""
    own = {"default": {"dry_run": False} | default, "mode": mode, "secret": SECRET}
    bots = {
        "qq": own | {
            "platform": "onebot", "self_id": ACCOUNT, "api": api, "admins": ["42"],
            "implementation": implementation,
        },
        "tg": own | {"platform": "telegram", "token": TOKEN, "api": api, "admins": ["42"]},
        "wc": own | {
            "platform": "wecom", "aes_key": AES_KEY, "robot_key": "r0b0t", "api": api,
            "admins": ["boss"],
        },
    }  # fmt: skip
    bots = {name: bots[name] for name in only}
    path.write_text(yaml.safe_dump({"bots": bots}), encoding="utf-8")
    return path


@cache
def _made() -> bytes:
    """A ledger with its tables and nothing in them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite"
        Ledger.open(f"sqlite:///{path}").close()
        return path.read_bytes()


def ledger_url(folder: Path) -> str:
    """The URL of a ledger in a folder; made quickly where there is none."""
    path = folder / "ledger.sqlite"
    if not path.exists():
        path.write_bytes(_made())
    return f"sqlite:///{path}"


class Served:
    """A service under test."""

    def __init__(self, client, parts):
        self.client, self.parts = client, parts

    def onebot(self, event, path="/hooks/onebot", **how):
        headers, body = signed(event, **how)
        return self.client.post(path, content=body, headers=headers)

    def telegram(self, update, secret=SECRET, name="tg"):
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
        return self.client.post(f"/hooks/telegram/{name}", json=update, headers=headers)

    def wecom(self, xml, **how):
        query, body = wecom_callback(xml, **how)
        return self.client.post("/hooks/wecom/wc", params=query, content=body)

    def sent(self):
        """Wait until nothing waits in the outbox any more."""
        for _ in range(500):
            if self.parts.ledger.outbox.waiting() == 0:
                return
            time.sleep(0.01)
        raise AssertionError("calls still wait")

    @property
    def entries(self):
        return list(self.parts.ledger.entries())[::-1]


class Room:
    """A group of its own in a service that many tests share."""

    def __init__(self, served, api, number):
        self.served, self.client, self.parts = served, served.client, served.parts
        self.group = number
        self._api, self._before = api, len(api.made)

    def onebot(self, event, **how):
        """Post an event as one of this group."""
        here = {"group_id": self.group}
        if "message_id" in event:
            here["message_id"] = self.group * 1000 + event["message_id"]
        return self.served.onebot(event | here, **how)

    @property
    def entries(self):
        return list(self.parts.ledger.entries(group=str(self.group)))[::-1]

    @property
    def made(self):
        """The calls made since the test began, when none waits any more."""
        self.served.sent()
        return self._api.made[self._before :]

    @property
    def methods(self):
        return [method for method, _ in self.made]

    @property
    def said(self):
        return texts_of(self.made)


@contextmanager
def serving(folder: Path, api: str, copywriter=None, **bots) -> Iterator[Served]:
    """A service over a ledger in `folder`; its outbox is drained at the end."""
    settings = Settings(
        database=ledger_url(folder), bots=str(write_bots(folder / "bots.yaml", api, **bots))
    )
    parts = asyncio.run(_open(settings, copywriter))
    try:
        with TestClient(
            create_app(parts), base_url="http://127.0.0.1", client=("127.0.0.1", 5000)
        ) as client:
            for key in parts.ledger.keys.all():
                if key.revoked is None:  # of a service over this ledger before
                    parts.ledger.keys.revoke(key.id)
            _, secret = parts.ledger.keys.add("local", ["admin"])
            client.headers["Authorization"] = f"Bearer {secret}"  # for /v1; hooks need none
            yield Served(client, parts)
    finally:
        parts.close()


async def _open(settings, copywriter):
    parts = open_parts(settings)
    if copywriter:
        return replace(parts, copywriter=copywriter)
    return parts


_SERVE = """
import socket, sys
from engine.service.running import run
listening = socket.socket()
listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listening.bind(("127.0.0.1", int(sys.argv[1])))
listening.listen(128)
run(listening, 1, None, "warning")
"""


def spawn_service(folder: Path, bots: Path, port: int) -> subprocess.Popen[bytes]:
    """A service of its own, over the ledger in a folder; it is there when /healthz answers."""
    environment = os.environ | {"QUNCE_DATABASE": ledger_url(folder), "QUNCE_BOTS": str(bots)}
    root = Path(__file__).resolve().parents[2]
    with (folder / "service.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(port)],
            env=environment | {"PYTHONPATH": str(root)}, cwd=folder, stdout=log, stderr=log,
        )  # fmt: skip
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return process
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    process.kill()
    process.wait()
    raise AssertionError((folder / "service.log").read_text(encoding="utf-8"))


async def deliver(url, events, acknowledged, connections=16):
    """Post signed events of OneBot over some connections; note the ids of those acknowledged.

    Whoever is cut off stops: `acknowledged` holds what was answered before.
    """
    waiting = list(reversed(events))
    limits = httpx.Limits(max_connections=connections)

    async def work(client):
        while waiting:
            event = waiting.pop()
            headers, body = signed(event)
            try:
                answer = await client.post("/hooks/onebot", content=body, headers=headers)
            except httpx.HTTPError:
                return
            if answer.is_success:
                acknowledged.append(event["message_id"])

    async with httpx.AsyncClient(
        base_url=url, limits=limits, timeout=20, trust_env=False
    ) as client:
        await asyncio.gather(*(work(client) for _ in range(connections)))

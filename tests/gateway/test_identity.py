"""The gateway's clients may prove themselves by a workload identity: callers see nothing of it."""

from __future__ import annotations

import json
from typing import Any

from connector.gateway.export import export_proxy_config
from connector.pipeline import load_configuration
from tests.platform_stand_in import SUBJECT, Platform


async def test_forwarded_calls_carry_the_access_token_and_logs_hide_it(start: Any, tmp_path: Any) -> None:
    platform = Platform()
    runner = await platform.start()
    (tmp_path / "token").write_text(SUBJECT.format("file"))
    identity = platform.identity("kubernetes", token_file=str(tmp_path / "token"))
    try:
        running = await start(
            parameters={"base_uri": f"{platform.uri}/v1", "token": None, "identity": identity},
            gateway={"log_bodies": True},
        )
        first = await running.chat()
        platform.revoked.add(platform.token)
        second = await running.chat()
        redact = running.listening.gateway.access_log.redact
    finally:
        await runner.cleanup()
    assert (first.status_code, second.status_code, len(platform.exchanges)) == (200, 200, 2)
    assert second.json() == {"echo": f"Bearer {platform.token}"}
    assert not [authorization for authorization, _ in platform.calls if "gw-" in authorization]
    assert redact(f"{platform.token} {SUBJECT.format('file')}") == "*** ***"


async def test_other_proxies_do_not_serve_such_clients(catalogue: Any, tmp_path: Any) -> None:
    identity = {"source": "gcp", "identity_provider_id": "i", "service_account_id": "s"}
    clients = {
        "keyed": {"prototype": "openai", "parameters": {"token": "${KEY}"}},
        "workload": {"prototype": "openai", "parameters": {"identity": identity}},
    }
    tokens = {"bot": {"hash": "sha256:" + "0" * 64}}
    file = tmp_path / "connector.json"
    file.write_text(json.dumps({"clients": clients, "gateway": {"tokens": tokens}}))
    shown = export_proxy_config(load_configuration(file, {"KEY": "sk-canary-1234567"}), "nginx", catalogue, 8788)
    assert "the client workload is left out: it proves itself by identity or certificate" in " ".join(shown.split())
    assert "/keyed/" in shown
    assert "/workload/" not in shown
    assert "access-token-of" not in shown

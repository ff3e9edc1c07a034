"""The tables of a divider in PostgreSQL, and the division of `division.py` as a function over them."""

from __future__ import annotations

import hashlib

from connector.engine.postgresql.connection import SCHEMA
from connector.fleet.division import ACCRUED, COUNTED, FORGOTTEN, KEPT, LATE, PROBE, ROOM, ROOM_SHORT, ROUNDING

__all__ = ["INSTALL", "MARK", "MARKED", "MARKS"]

TABLES = f"""
CREATE SCHEMA IF NOT EXISTS {SCHEMA};
CREATE UNLOGGED TABLE IF NOT EXISTS {SCHEMA}.limits (
    name text PRIMARY KEY, remaining float8 NOT NULL, filled float8 NOT NULL, counted float8 NOT NULL,
    level float8 NOT NULL, given float8 NOT NULL DEFAULT 0, first text NOT NULL DEFAULT '',
    kept float8 NOT NULL DEFAULT 0
) WITH (fillfactor = 20);
CREATE UNLOGGED TABLE IF NOT EXISTS {SCHEMA}.shares (
    name text, process text, asked float8 NOT NULL, used float8 NOT NULL, want float8 NOT NULL DEFAULT 0,
    credit float8 NOT NULL DEFAULT 0, rate float8 NOT NULL DEFAULT 0, granted float8 NOT NULL DEFAULT 0,
    charged float8 NOT NULL DEFAULT 0,
    PRIMARY KEY (name, process)
) WITH (fillfactor = 50);
CREATE UNLOGGED TABLE IF NOT EXISTS {SCHEMA}.account_signs (
    name text PRIMARY KEY, held_until float8 NOT NULL, pause text NOT NULL, probe_at float8 NOT NULL
);
"""
COUNT = f"""
CREATE OR REPLACE FUNCTION {SCHEMA}.count_limit(known {SCHEMA}.limits, flow float8, now float8)
RETURNS {SCHEMA}.limits LANGUAGE plpgsql AS $$
DECLARE
    lost float8;
    gone float8;
BEGIN
    WITH forgotten AS (
        DELETE FROM {SCHEMA}.shares WHERE name = known.name AND now - asked >= {FORGOTTEN} RETURNING granted
    ) SELECT coalesce(sum(granted), 0) INTO gone FROM forgotten;
    SELECT coalesce(sum(rate * {KEPT} ^ (now - asked - 1.0)), 0) INTO lost
    FROM {SCHEMA}.shares WHERE name = known.name AND now - asked >= {LATE} AND now - asked < {FORGOTTEN};
    UPDATE {SCHEMA}.shares
    SET charged = charged + rate * {KEPT} ^ (now - asked - 1.0) * least(now - known.counted, {LATE})
    WHERE name = known.name AND now - asked >= {LATE} AND rate > 0;
    known.given := known.given - gone;
    known.remaining := known.remaining - lost * least(now - known.counted, {LATE});
    -- The level is that of the smallest demand that is not met in full; all larger ones have the same.
    SELECT greatest(coalesce(max(level) FILTER (WHERE want >= level), 'infinity'), 0) INTO known.level FROM (
        SELECT want, (greatest(flow - lost, 0) - coalesce(sum(want) OVER (ORDER BY want, process
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0))
            / (count(*) OVER () - row_number() OVER (ORDER BY want, process) + 1) AS level
        FROM {SCHEMA}.shares WHERE name = known.name AND now - asked < {LATE}
    ) AS demands;
    known.counted := now;
    IF NOT EXISTS (SELECT FROM {SCHEMA}.shares
                   WHERE name = known.name AND process = known.first AND now - asked < {LATE}) THEN
        known.first := '';
        known.kept := 0;
    END IF;
    RETURN known;
END $$;
"""  # noqa: S608  names and numbers of ours
DIVIDE = f"""
CREATE OR REPLACE FUNCTION {SCHEMA}.divide_limits(who text, asks jsonb, at float8)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    ask record;
    known {SCHEMA}.limits;
    mine {SCHEMA}.shares;
    now float8;
    passed float8;
    wanted float8;
    due float8;
    spare float8;
    amount float8;
    grants jsonb := '{{}}';
BEGIN
    FOR ask IN SELECT * FROM jsonb_to_recordset(asks)
        AS given (name text, flow float8, used float8, want float8, least float8) ORDER BY name
    LOOP
        SELECT * INTO known FROM {SCHEMA}.limits WHERE name = ask.name FOR UPDATE;
        now := coalesce(at, extract(epoch FROM clock_timestamp()));
        IF NOT FOUND THEN
            INSERT INTO {SCHEMA}.limits VALUES (ask.name, ask.least, now, now, 'infinity')
            ON CONFLICT DO NOTHING;
            SELECT * INTO known FROM {SCHEMA}.limits WHERE name = ask.name FOR UPDATE;
        END IF;
        SELECT * INTO mine FROM {SCHEMA}.shares WHERE name = ask.name AND process = who;
        IF NOT FOUND THEN
            mine := (ask.name, who, now - 1.0, ask.used, 0, 0, 0, 0, 0);
        END IF;
        known.remaining := known.remaining + mine.granted + mine.charged - greatest(ask.used - mine.used, 0);
        known.given := known.given - mine.granted;
        passed := greatest(now - known.filled, 0);
        known.remaining := greatest(known.remaining, least(
            known.remaining + ask.flow * passed,
            greatest(CASE WHEN known.level < ask.flow AND passed < {LATE} THEN ask.flow * {ROOM_SHORT} - known.given / 2
                          ELSE ask.flow * {ROOM} - known.given END, known.kept, 1)));
        known.filled := now;
        IF now - known.counted >= {COUNTED} THEN
            UPDATE {SCHEMA}.shares SET granted = 0, charged = 0, asked = now
            WHERE name = ask.name AND process = who;
            known := {SCHEMA}.count_limit(known, ask.flow, now);
        END IF;
        wanted := CASE WHEN ask.want > 0 THEN greatest(ask.want, ask.least) ELSE 0 END;
        mine.want := least(wanted, greatest(ask.flow, ask.least));
        mine.rate := least(mine.want, known.level);
        due := mine.rate * (1 + greatest(known.remaining / ask.flow - 1, 0))
            * least(greatest(now - mine.asked, 0), {ACCRUED});
        mine.credit := CASE WHEN known.level >= ask.flow THEN mine.want ELSE least(mine.want, mine.credit + due) END;
        IF known.first = who THEN
            known.first := '';
            known.kept := 0;
        END IF;
        spare := known.remaining - known.kept;
        amount := floor(least(mine.credit, spare) + {ROUNDING});
        IF spare > greatest(ask.flow / 2, ask.least) THEN
            amount := greatest(amount, ask.least, floor(least(ceil(mine.credit - {ROUNDING}), wanted, spare)));
        END IF;
        IF amount < ask.least OR mine.want = 0 THEN
            amount := 0;
        END IF;
        IF known.first = '' AND amount = 0 AND mine.want > 0 AND mine.credit >= ask.least - {ROUNDING} THEN
            known.first := who;
            known.kept := ask.least;
        END IF;
        INSERT INTO {SCHEMA}.shares
        VALUES (ask.name, who, now, ask.used, mine.want, mine.credit - amount, mine.rate, amount)
        ON CONFLICT (name, process) DO UPDATE SET asked = excluded.asked, used = excluded.used, want = excluded.want,
            credit = excluded.credit, rate = excluded.rate, granted = excluded.granted, charged = 0;
        UPDATE {SCHEMA}.limits SET remaining = known.remaining - amount, filled = now, counted = known.counted,
            level = known.level, given = known.given + amount, first = known.first, kept = known.kept
        WHERE name = ask.name;
        grants := grants || jsonb_build_object(ask.name, jsonb_build_array(amount, mine.rate));
    END LOOP;
    RETURN grants;
END $$;
"""  # noqa: S608  names and numbers of ours
SIGNS = f"""
CREATE OR REPLACE FUNCTION {SCHEMA}.pass_on_signs(signs jsonb, at float8)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    sign record;
    known {SCHEMA}.account_signs;
    now float8 := coalesce(at, extract(epoch FROM clock_timestamp()));
    may_probe boolean;
    passed_on jsonb := '{{}}';
BEGIN
    FOR sign IN SELECT * FROM jsonb_to_recordset(signs)
        AS given (name text, hold float8, pause text, resumed boolean, probe boolean) ORDER BY name
    LOOP
        SELECT * INTO known FROM {SCHEMA}.account_signs WHERE name = sign.name;
        IF NOT FOUND THEN
            known := (sign.name, 0, '', 0);
        END IF;
        may_probe := sign.probe AND known.pause = '';
        IF sign.hold > 0 OR sign.pause <> '' OR sign.resumed OR (sign.probe AND NOT may_probe) THEN
            INSERT INTO {SCHEMA}.account_signs VALUES (sign.name, 0, '', 0) ON CONFLICT DO NOTHING;
            SELECT * INTO known FROM {SCHEMA}.account_signs WHERE name = sign.name FOR UPDATE;
            known.held_until := greatest(known.held_until, now + sign.hold);
            IF sign.resumed THEN
                known.pause := '';
            END IF;
            IF sign.pause <> '' THEN
                known.pause := sign.pause;
                known.probe_at := now + {PROBE};
            END IF;
            may_probe := sign.probe AND (known.pause = '' OR now >= known.probe_at);
            IF may_probe THEN
                known.probe_at := now + {PROBE};
            END IF;
            UPDATE {SCHEMA}.account_signs SET held_until = known.held_until, pause = known.pause,
                probe_at = known.probe_at WHERE name = sign.name;
        END IF;
        passed_on := passed_on || jsonb_build_object(
            sign.name, jsonb_build_array(greatest(known.held_until - now, 0), known.pause, may_probe));
    END LOOP;
    RETURN passed_on;
END $$;
"""  # noqa: S608  names and numbers of ours
WHOLE = f"""
CREATE OR REPLACE FUNCTION {SCHEMA}.exchange_shares(who text, asks jsonb, signs jsonb, at float8)
RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_array({SCHEMA}.divide_limits(who, asks, at), {SCHEMA}.pass_on_signs(signs, at))
$$;
"""
INSTALL = f"{TABLES}{COUNT}{DIVIDE}{SIGNS}{WHOLE}"
MARK = hashlib.sha256(INSTALL.encode()).hexdigest()[:16]
MARKED = f"SELECT obj_description(to_regprocedure('{SCHEMA}.exchange_shares(text, jsonb, jsonb, float8)'))"
MARKS = f"COMMENT ON FUNCTION {SCHEMA}.exchange_shares(text, jsonb, jsonb, float8) IS '{MARK}'"

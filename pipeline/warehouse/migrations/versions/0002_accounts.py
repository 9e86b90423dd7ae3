"""Accounts: users and clients, their sessions, and the audit of every write."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table app.principals (
        principal_id uuid primary key default gen_random_uuid(),
        kind text not null check (kind in ('user', 'client')),
        name text not null unique check (name ~ '^[a-z0-9][a-z0-9._@-]{0,63}$'),
        secret_hash text not null,
        role text not null check (role in ('viewer', 'analyst', 'editor', 'admin')),
        regions text[] check (cardinality(regions) > 0),
        is_active boolean not null default true,
        created_at timestamptz not null default now(),
        last_used_at timestamptz,
        constraint only_viewers_are_limited check (regions is null or role = 'viewer')
    )
    """,
    # What a login began. Its tokens work while it is not revoked; scopes null: all that the role has.
    """
    create table app.sessions (
        session_id uuid primary key default gen_random_uuid(),
        principal_id uuid not null references app.principals,
        scopes text[],
        started_at timestamptz not null default now(),
        ends_at timestamptz not null,
        revoked_at timestamptz
    )
    """,
    "create index sessions_by_principal on app.sessions (principal_id)",
    "create index sessions_by_end on app.sessions (ends_at)",
    # The tokens themselves are nowhere: who reads this table can log in with nothing.
    """
    create table app.refresh_tokens (
        token_hash bytea primary key,
        session_id uuid not null references app.sessions on delete cascade,
        issued_at timestamptz not null default now(),
        expires_at timestamptz not null,
        used_at timestamptz
    )
    """,
    "create index refresh_tokens_by_session on app.refresh_tokens (session_id)",
    # A row is written before the write that it is about, and completed after it: one without an
    # outcome belongs to a process that died. No reference to principals: it outlives them.
    """
    create table app.audit (
        audit_id bigint generated always as identity primary key,
        at timestamptz not null default now(),
        principal_id uuid,
        principal_name text not null,
        request_id uuid,
        action text not null,
        target text,
        address text,
        outcome text check (outcome in ('succeeded', 'denied', 'failed')),
        status integer,
        code text,
        finished_at timestamptz
    )
    """,
    "create index audit_by_time on app.audit (at desc)",
    # Not even with the service's password is it quietly rewritten what was done.
    """
    create function app.protect_audit() returns trigger language plpgsql as $$
    begin
        if tg_op = 'DELETE' then
            if old.at < now() - interval '400 days' then
                return old;
            end if;
            raise exception 'records of the last 400 days are not deleted'
                using errcode = 'insufficient_privilege';
        end if;
        if old.outcome is not null then
            raise exception 'a record with an outcome is not changed'
                using errcode = 'insufficient_privilege';
        end if;
        return new;
    end
    $$
    """,
    """
    create trigger protect_audit before update or delete on app.audit
    for each row execute function app.protect_audit()
    """,
)


def upgrade() -> None:
    """Create the tables of accounts."""
    for statement in STATEMENTS:
        op.execute(statement)

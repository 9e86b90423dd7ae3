-- Run by the Postgres image once, when its volume is new: the role that owns the warehouse, and its
-- database. It is no superuser: it may make the roles of the readers and of the API (createrole) and
-- Dagster's database (createdb), which the service `prepare` does.
\getenv password TILLHOUSE_DATABASE_PASSWORD
create role tillhouse login createdb createrole password :'password';
create database tillhouse owner tillhouse;

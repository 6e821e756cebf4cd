\echo Use "CREATE EXTENSION qts" to load this file. \quit

SET LOCAL search_path TO pg_catalog, pg_temp;

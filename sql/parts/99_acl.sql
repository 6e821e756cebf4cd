-- Nothing is for everybody; qts.activate() grants what each role needs.
REVOKE ALL ON SCHEMA market, trade, system, qts FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA market, trade, system, qts FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA market, trade, system, qts FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA market, trade, system, qts FROM PUBLIC;

-- migrate:up
CREATE TABLE é (a int, b text DEFAULT 'x;y');;
/* kdb:rerunnable because */ SELECT 1_000, 'é'; SELECT 2 -- trailing
;
-- kdb:rerunnable
CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT JSON_ARRAY(1 NULL ON NULL)); select '
a' 'b';
CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN 1=1 THEN 1_0 END end; SELECT 2; END;
DO $x$ begin; $$ ; $$ end $x$; select $1abc, $a

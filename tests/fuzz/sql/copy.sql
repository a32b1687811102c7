\connect x
COPY t (a) FROM stdin;
1	'x
\.
SELECT 1;

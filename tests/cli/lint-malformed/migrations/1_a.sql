-- migrate:up
SELECT 'a;

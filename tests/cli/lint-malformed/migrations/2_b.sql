-- migrate:up bogus:1
SELECT 1;

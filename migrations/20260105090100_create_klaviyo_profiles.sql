-- The people that events happen to.

-- migrate:up
CREATE TABLE public.klaviyo_profiles (
  -- A ULID: 26 characters of Crockford's base 32, which has no I, L, O and U.
  id text PRIMARY KEY CHECK (id ~ '^[0-9A-HJKMNP-TV-Z]{26}$'),
  -- Any of these three may identify a profile, and a profile known by its browser alone has none of them. They are
  -- not unique: when Klaviyo merges two profiles, both are here until the next sync.
  email text CHECK (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' AND char_length(email) <= 320),
  phone_number text CHECK (phone_number ~ '^\+[1-9][0-9]{1,14}$'),
  external_id text CHECK (external_id <> ''),
  first_name text,
  last_name text,
  locale text,
  location jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(location) = 'object'),
  properties jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(properties) = 'object'),
  last_event_at timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  synced_at timestamptz NOT NULL DEFAULT now(),
  CHECK (updated_at >= created_at)
);

COMMENT ON TABLE public.klaviyo_profiles IS 'The people that events happen to';
COMMENT ON COLUMN public.klaviyo_profiles.phone_number IS 'E.164: a plus sign and up to 15 digits';
COMMENT ON COLUMN public.klaviyo_profiles.synced_at IS 'When this row was last read from Klaviyo';

-- migrate:down
DROP TABLE public.klaviyo_profiles;

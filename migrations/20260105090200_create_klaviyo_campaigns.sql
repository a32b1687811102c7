-- Messages sent to many at once.

-- migrate:up
CREATE TABLE public.klaviyo_campaigns (
  id text PRIMARY KEY CHECK (id ~ '^[0-9A-HJKMNP-TV-Z]{26}$'),
  name text NOT NULL CHECK (name <> ''),
  channel text NOT NULL CHECK (channel IN ('email', 'sms', 'mobile_push')),
  -- A CHECK and no enum: a value that Klaviyo stops using can be taken out again.
  status text NOT NULL CHECK (status IN (
    'Adding Recipients', 'Cancelled', 'Cancelled: Account Disabled', 'Cancelled: Internal Error',
    'Cancelled: No Recipients', 'Cancelled: Smart Sending', 'Draft', 'Preparing to schedule', 'Preparing to send',
    'Queued without Recipients', 'Scheduled', 'Sending', 'Sending Segments', 'Sent', 'Unknown', 'Variations Sent')),
  archived boolean NOT NULL DEFAULT false,
  audiences jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(audiences) = 'object'),
  send_options jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(send_options) = 'object'),
  scheduled_at timestamptz,
  sent_at timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  synced_at timestamptz NOT NULL DEFAULT now(),
  CHECK (updated_at >= created_at),
  CHECK (status NOT IN ('Sent', 'Variations Sent') OR sent_at IS NOT NULL)
);

COMMENT ON TABLE public.klaviyo_campaigns IS 'Messages sent to many at once';
COMMENT ON COLUMN public.klaviyo_campaigns.synced_at IS 'When this row was last read from Klaviyo';

-- migrate:down
DROP TABLE public.klaviyo_campaigns;

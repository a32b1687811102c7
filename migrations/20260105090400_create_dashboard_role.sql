-- Whom the dashboard connects as: it reads. Its login and its password are the deployment's; what its sessions begin
-- with is in profiles/default.toml.

-- migrate:up
-- A role is the whole server's: another database may have made it already.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'dashboard') THEN
    CREATE ROLE dashboard NOLOGIN;
  END IF;
END
$$;

GRANT SELECT ON public.klaviyo_metrics, public.klaviyo_profiles, public.klaviyo_campaigns, public.klaviyo_events
  TO dashboard;

-- migrate:down
REVOKE SELECT ON public.klaviyo_metrics, public.klaviyo_profiles, public.klaviyo_campaigns, public.klaviyo_events
  FROM dashboard;

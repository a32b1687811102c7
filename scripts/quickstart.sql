-- A few thousand events as Klaviyo sends them: 30 metrics of which three are most of the rows, 400 profiles with a few
-- busy ones, 40 campaigns, two years that end on the first of January 2026. The same ones every time, on PostgreSQL 15
-- and newer; 14 draws other random numbers.
BEGIN;
SELECT setseed(0.42) \g /dev/null

INSERT INTO public.klaviyo_metrics (id, name, integration_name, integration_category, created_at, updated_at)
SELECT translate(substr(md5('metric' || n), 1, 6), '0123456789', 'GHJKMNPQRS'), name, integration, category,
       timestamptz '2023-11-01 09:00:00+00' + n * interval '1 minute',
       timestamptz '2023-11-01 09:00:00+00' + n * interval '1 minute'
FROM (VALUES (1, 'Received Email', 'Klaviyo', 'Internal'), (2, 'Opened Email', 'Klaviyo', 'Internal'),
             (3, 'Clicked Email', 'Klaviyo', 'Internal'), (4, 'Placed Order', 'Shopify', 'eCommerce'),
             (5, 'Ordered Product', 'Shopify', 'eCommerce'), (6, 'Checkout Started', 'Shopify', 'eCommerce'),
             (7, 'Viewed Product', 'API', 'API'), (8, 'Active on Site', 'API', 'API'),
             (9, 'Fulfilled Order', 'Shopify', 'eCommerce'), (10, 'Unsubscribed', 'Klaviyo', 'Internal')
     ) AS known (n, name, integration, category)
UNION ALL
SELECT translate(substr(md5('metric' || n), 1, 6), '0123456789', 'GHJKMNPQRS'), 'Custom Event ' || n, 'API', 'API',
       timestamptz '2024-02-01 09:00:00+00' + n * interval '1 minute',
       timestamptz '2024-02-01 09:00:00+00' + n * interval '1 minute'
FROM generate_series(11, 30) AS n;

INSERT INTO public.klaviyo_profiles (id, email, phone_number, first_name, locale, location, properties, created_at,
                                     updated_at)
SELECT '01H' || upper(translate(substr(md5('profile' || n), 1, 23), 'ilou', 'wxyz')),
       format('person%s@example.com', n),
       CASE WHEN n % 4 = 0 THEN '+1555' || lpad(n::text, 7, '0') END,
       (ARRAY['Ada', 'Grace', 'Edsger', 'Barbara', 'Tony'])[1 + n % 5], (ARRAY['en-US', 'de-DE', 'fr-FR'])[1 + n % 3],
       jsonb_build_object('country', (ARRAY['US', 'DE', 'FR'])[1 + n % 3], 'timezone', 'UTC'),
       jsonb_build_object('$consent', jsonb_build_array('email'), 'Loyalty Tier', (ARRAY['gold', 'silver'])[1 + n % 2]),
       timestamptz '2023-11-05 00:00:00+00' + n * interval '1 hour',
       timestamptz '2023-11-05 00:00:00+00' + n * interval '1 hour'
FROM generate_series(1, 400) AS n;

INSERT INTO public.klaviyo_campaigns (id, name, channel, status, audiences, scheduled_at, sent_at, created_at,
                                      updated_at)
SELECT '01J' || upper(translate(substr(md5('campaign' || n), 1, 23), 'ilou', 'wxyz')), format('Newsletter %s', n),
       (ARRAY['email', 'email', 'email', 'sms'])[1 + n % 4], CASE WHEN n > 37 THEN 'Scheduled' ELSE 'Sent' END,
       jsonb_build_object('included', jsonb_build_array('L' || lpad(n::text, 5, '0')), 'excluded', '[]'::jsonb),
       sending, CASE WHEN n <= 37 THEN sending END, sending - interval '3 days', sending
FROM (SELECT n, timestamptz '2024-01-05 10:00:00+00' + n * interval '19 days' AS sending
      FROM generate_series(1, 40) AS n) AS campaign;

-- random() to the power of two and more makes a few values frequent and the rest rare.
WITH draws AS MATERIALIZED (
  SELECT n, 1 + floor(random() ^ 2.5 * 30)::int AS metric, 1 + floor(random() ^ 2 * 400)::int AS profile,
         1 + floor(random() * 37)::int AS campaign, round((random() * 180 + 5)::numeric, 2) AS amount,
         timestamptz '2026-01-01 00:00:00+00' - random() * interval '700 days' AS happened
  FROM generate_series(1, 5000) AS n
), named AS (
  SELECT draws.*, metric.id AS metric_id, metric.name AS metric_name, profile.id AS profile_id,
         campaign.id AS campaign_id, campaign.name AS campaign_name
  FROM draws
  JOIN (SELECT id, name, row_number() OVER (ORDER BY created_at) AS n FROM public.klaviyo_metrics) AS metric
    ON metric.n = draws.metric
  JOIN (SELECT id, row_number() OVER (ORDER BY created_at) AS n FROM public.klaviyo_profiles) AS profile
    ON profile.n = draws.profile
  JOIN (SELECT id, name, row_number() OVER (ORDER BY created_at) AS n FROM public.klaviyo_campaigns) AS campaign
    ON campaign.n = draws.campaign
)
INSERT INTO public.klaviyo_events (id, metric_id, profile_id, timestamp, value, properties)
SELECT substr(md5('event' || n), 1, 11), metric_id, profile_id, happened,
       CASE WHEN metric_name IN ('Placed Order', 'Ordered Product', 'Checkout Started') THEN amount END,
       CASE
         WHEN metric_name LIKE '% Email' THEN
           jsonb_build_object('$event_id', n::text, 'Campaign Name', campaign_name, '$message', campaign_id,
                              ' Client OS', (ARRAY['iOS', 'Android', 'macOS'])[1 + n % 3], 'Email Domain', 'example.com')
         WHEN metric_name IN ('Placed Order', 'Ordered Product', 'Checkout Started') THEN
           -- $value is a number from one integration and a string from another.
           jsonb_build_object('$event_id', n::text, '$value', CASE WHEN n % 5 = 0 THEN to_jsonb(amount::text)
                                                                   ELSE to_jsonb(amount) END,
                              '$currency_code', 'USD',
                              '$attribution', jsonb_build_object('$attributed_campaign_id', campaign_id),
                              '$extra', jsonb_build_object('line_items', jsonb_build_array(
                                jsonb_build_object('sku', 'SKU-' || n % 97, 'quantity', 1 + n % 3))))
         ELSE jsonb_build_object('$event_id', n::text, 'page', '/products/' || n % 97)
       END
FROM named;

UPDATE public.klaviyo_profiles AS profile
SET last_event_at = latest.happened
FROM (SELECT profile_id, max(timestamp) AS happened FROM public.klaviyo_events GROUP BY profile_id) AS latest
WHERE latest.profile_id = profile.id;

SELECT metric.name AS metric, count(*) AS events, count(DISTINCT event.profile_id) AS profiles,
       coalesce(sum(event.value), 0) AS value
FROM public.klaviyo_events AS event
JOIN public.klaviyo_metrics AS metric ON metric.id = event.metric_id
GROUP BY metric.name
ORDER BY events DESC, metric
LIMIT 5;
COMMIT;

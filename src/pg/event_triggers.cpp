#include "pg/event_triggers.hpp"

#include <fmt/format.h>

namespace kdb::pg {

std::string event_triggers_sql(std::string_view tags) {
  return fmt::format(R"((
SELECT pg_catalog.string_agg('"' || e.evtname || '"', ', ' ORDER BY e.evtname)
FROM pg_catalog.pg_event_trigger e
WHERE e.evtevent IN ('ddl_command_start', 'ddl_command_end')
  AND e.evtenabled IN ('A', CASE pg_catalog.current_setting('session_replication_role')
                            WHEN 'replica' THEN 'R' ELSE 'O' END)
  AND (e.evttags IS NULL OR e.evttags && ARRAY[{}])
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid
    WHERE d.classid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass AND d.objid = e.oid
      AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND x.extname = 'timescaledb')))",
                     tags);
}

}  // namespace kdb::pg

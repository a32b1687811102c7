// libpg_query's ways to hand out a parse tree, which kdb never asks for: it wants to know where statements
// end. They stand beside what it does use, and behind them stand the descriptors of all nodes: more than half
// of the addresses that the dynamic linker would set each time that kdb starts. Defined here, the archive's
// are left out.

#include <pg_query.h>

extern "C" {

PgQueryProtobuf pg_query_nodes_to_protobuf(const void* tree);
char* pg_query_nodes_to_json(const void* tree);

PgQueryProtobuf pg_query_nodes_to_protobuf(const void* /*tree*/) { return {}; }
char* pg_query_nodes_to_json(const void* /*tree*/) { return nullptr; }

}  // extern "C"

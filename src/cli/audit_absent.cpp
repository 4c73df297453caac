#ifndef WEIR_AUDIT
#include "cli/command.hpp"

namespace weir::cli {

/// Stands in for the command in builds for which the parsers could not be had.
Ending run_audit(const Invocation&) {
  return {Exit::nothing_started,
          "this weir was built without its audit, since npm could not bring the parsers; install npm, run "
          "scripts/fetch_grammars and build again"};
}

}  // namespace weir::cli
#endif

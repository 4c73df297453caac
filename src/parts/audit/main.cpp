// The program weir-audit, the part of weir that runs `weir audit` (docs/parts.md).

#include "cli/main_program.hpp"
#include "parts/audit/audit_command.hpp"

int main(int argc, char** argv) {
  constexpr weir::cli::PartCommand kAuditCommand{"audit", weir::parts::run_audit};
  return weir::cli::main_program(argc, argv, &kAuditCommand);
}

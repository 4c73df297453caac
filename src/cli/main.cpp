#include "cli/main_program.hpp"

int main(int argc, char** argv) { return weir::cli::main_program(argc, argv); }

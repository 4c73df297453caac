// The check that edited Python code still compiles.
#include "audit/fix/compile_gate.hpp"

#include <gtest/gtest.h>

#include "audit/run_program.hpp"

namespace weir::audit {
namespace {

TEST(AuditCompileGate, EveryTextIsCheckedSeparately) {
  if (!find_python()) GTEST_SKIP() << "there is no python3";
  const std::vector<EditedCode> codes{
      {"x = 1\n", "x = 2\n"},
      {"x = 1\n", "import os\nfrom __future__ import annotations\n"},  // parses but does not compile
      {"print 'two'\n", "print 'three'\n"},                            // did not compile before
      {"#!/bin/env python\n# -*- coding: latin-1 -*-\nx = '\xE9'\n", "# -*- coding: latin-1 -*-\nx = '\xE8'\n"},
      {"x = 1", std::string("x = 1\n\0", 7)},
      {"", "x = (\n"},
      {"12 34\n56\n", "x = [12,\n 34]\n"},
  };
  EXPECT_EQ(check_compilation(codes), (std::vector<bool>{true, false, true, true, false, false, true}));
  EXPECT_TRUE(check_compilation({}).empty());
}

}  // namespace
}  // namespace weir::audit

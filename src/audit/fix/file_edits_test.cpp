// Edits of code converted to edits of the notebook that contains it.
#include "audit/fix/file_edits.hpp"

#include <string>

#include <gtest/gtest.h>

#include "audit/fix/fixer.hpp"
#include "program.hpp"

namespace weir::audit {
namespace {

using test::Folder;

/// Returns a notebook with one code cell, formatted as Jupyter does.
std::string notebook(const std::string& source) {
  return "{\n \"cells\": [\n  {\n   \"cell_type\": \"markdown\",\n   \"metadata\": {},\n   \"source\": [\"G\\u00e9 "
         "\xC3\xA9\"]\n  },\n  {\n   \"cell_type\": \"code\",\n   \"execution_count\": 3,\n   \"metadata\": {},\n   "
         "\"outputs\": [{\"output_type\": \"stream\", \"text\": [\"os.environ['CUDA_VISIBLE_DEVICES'] = "
         "'1'\\n\"]}],\n   \"source\": " +
         source + "\n  }\n ],\n \"metadata\": {\"x\": 1.50},\n \"nbformat\": 4,\n \"nbformat_minor\": 5\n}\n";
}

/// Returns the cell after --fix; checks that a second run changes nothing.
std::string fix_notebook(const std::string& source, bool unsafe = false) {
  const Folder folder;
  folder.put("a.ipynb", notebook(source));
  for (int run = 0; run < 2; ++run) {
    const auto outcome = fix_files({.operands = {folder.path().native()}}, {.unsafe = unsafe, .write = true});
    EXPECT_TRUE(outcome);
    for (const FixedFile& file : outcome ? outcome->files : std::vector<FixedFile>{}) {
      EXPECT_EQ(file.problem, "");
      EXPECT_TRUE(run == 0 || file.text_before == file.text_after);
    }
  }
  const std::string text = folder.text("a.ipynb");
  const std::string begin = notebook("").substr(0, notebook("").find("\n  }\n ],"));
  EXPECT_TRUE(text.starts_with(begin)) << text;
  const std::size_t end = text.rfind("\n  }\n ],");
  EXPECT_EQ(text.substr(end), notebook("").substr(begin.size()));
  return text.substr(begin.size(), end - begin.size());
}

TEST(AuditNotebook, ARepeatedMaskIsDeletedWithinOneCellOnly) {
  const std::string set = "\"os.environ['CUDA_VISIBLE_DEVICES'] = 'GPU-1'";
  EXPECT_EQ(fix_notebook("[\"import os\\n\", " + set + "\\n\", " + set + "\\n\", \"x = 1\"]"),
            "[\"import os\\n\", " + set + "\\n\", \"x = 1\"]");
  const std::string between =
      "\"]\n  },\n  {\n   \"cell_type\": \"code\",\n   \"execution_count\": null,\n   \"metadata\": {},\n"
      "   \"outputs\": [],\n   \"source\": [";
  const std::string cells = "[\"import os\\n\", " + set + between + set + "\\n\", \"x = 1\"]";
  EXPECT_EQ(fix_notebook(cells), cells);
}

TEST(AuditNotebook, AnInsertedLineIsFormattedLikeItsNeighbours) {
  EXPECT_EQ(
      fix_notebook("[\n    \"import os\\n\",\n    \"os.environ.setdefault('CUDA_VISIBLE_DEVICES', '1')\"\n   ]"),
      "[\n    \"import os\\n\",\n    \"os.environ.setdefault(\\\"CUDA_DEVICE_ORDER\\\", \\\"PCI_BUS_ID\\\")\\n\",\n"
      "    \"os.environ.setdefault('CUDA_VISIBLE_DEVICES', '1')\"\n   ]");
  EXPECT_EQ(
      fix_notebook("[\"import os\\n\",\"if x:\\n\",\"\\tos.environ.setdefault('CUDA_VISIBLE_DEVICES', '1')\\n\"]"),
      "[\"import os\\n\",\"if x:\\n\",\"\\tos.environ.setdefault(\\\"CUDA_DEVICE_ORDER\\\", "
      "\\\"PCI_BUS_ID\\\")\\n\",\"\\tos.environ.setdefault('CUDA_VISIBLE_DEVICES', '1')\\n\"]");
}

TEST(AuditNotebook, ACellOfOneTextStaysOne) {
  EXPECT_EQ(fix_notebook("\"import os\\nos.environ.setdefault('CUDA_VISIBLE_DEVICES', '1')\\n# \\u00e9\""),
            "\"import os\\nos.environ.setdefault(\\\"CUDA_DEVICE_ORDER\\\", \\\"PCI_BUS_ID\\\")\\n"
            "os.environ.setdefault('CUDA_VISIBLE_DEVICES', '1')\\n# \\u00e9\"");
}

TEST(AuditNotebook, ALineLeavesTheListWithItsComma) {
  const std::string set = "os.environ['CUDA_VISIBLE_DEVICES'] = 'GPU-1'";
  EXPECT_EQ(fix_notebook("[\n    \"import os\\n\",\n    \"" + set + "\\n\",\n    \"" + set +
                         "\\n\",\n    \"print(1)\"\n   ]"),
            "[\n    \"import os\\n\",\n    \"" + set + "\\n\",\n    \"print(1)\"\n   ]");
  EXPECT_EQ(fix_notebook("[\n    \"import os\\n\",\n    \"" + set + "\\n\",\n    \"" + set + "\"\n   ]"),
            "[\n    \"import os\\n\",\n    \"" + set + "\\n\"\n   ]");
}

TEST(AuditNotebook, ARepeatedMaskStaysInAnotherCellAndBehindALineOfIPython) {
  const std::string set = "os.environ['CUDA_VISIBLE_DEVICES'] = 'GPU-1'\\n";
  const std::string magic = "[\"import os\\n\",\"" + set + "\",\"%env CUDA_VISIBLE_DEVICES=GPU-2\\n\",\"" + set + "\"]";
  EXPECT_EQ(fix_notebook(magic), magic);
  const std::string shell = "[\"import os\\n\",\"" + set + "\",\"!echo 1\\n\",\"" + set + "\"]";
  EXPECT_EQ(fix_notebook(shell), shell);
}

TEST(AuditNotebook, AMaskMovesWithinItsCellOnly) {
  const std::string late =
      "\"import torch\\n\",\"import os\\n\",\"os.environ.setdefault(\\\"CUDA_VISIBLE_DEVICES\\\", "
      "\\\"GPU-1\\\")\\n\",\"x = 1\\n\"";
  EXPECT_EQ(fix_notebook("[" + late + "]"),
            "[\"import os\\n\",\"os.environ.setdefault(\\\"CUDA_VISIBLE_DEVICES\\\", \\\"GPU-1\\\")\\n\","
            "\"import torch\\n\",\"x = 1\\n\"]");
}

TEST(AuditNotebook, ALateMaskByIndexMovesAndGetsItsOrder) {
  const std::string mask = "os.environ['CUDA_VISIBLE_DEVICES'] = '1'";
  const std::string order = "os.environ.setdefault(\\\"CUDA_DEVICE_ORDER\\\", \\\"PCI_BUS_ID\\\")";
  EXPECT_EQ(fix_notebook("[\"import torch\\n\",\"import os\\n\",\"" + mask + "\\n\",\"x = 1\"]"),
            "[\"import os\\n\",\"" + mask + "\\n\",\"" + order + "\\n\",\"import torch\\n\",\"x = 1\"]");
  // Removing the last line also removes the comma before it.
  EXPECT_EQ(fix_notebook("[\"import torch\\n\",\"import os\\n\",\"" + mask + "\"]"),
            "[\"import os\\n\",\"" + order + "\\n\",\"" + mask + "\\n\",\"import torch\\n\"]");
  EXPECT_EQ(fix_notebook("\"import torch\\nimport os\\n" + mask + "\\nx = 1\""),
            "\"import os\\n" + mask + "\\n" + order + "\\nimport torch\\nx = 1\"");
}

TEST(AuditNotebook, WithinALineTextIsEscaped) {
  EXPECT_EQ(fix_notebook("[\"import os\\n\", \"os.environ[\\\"CUDA_VISIBLE_DEVICES\\\"] = \\\"GPU-1\\\"\"]", true),
            "[\"import os\\n\", \"os.environ.setdefault(\\\"CUDA_VISIBLE_DEVICES\\\", \\\"GPU-1\\\")\"]");
  EXPECT_EQ(fix_notebook("[\"%matplotlib inline\\n\", \"import torch\\n\", \"torch.cuda.memory_cached()\"]"),
            "[\"%matplotlib inline\\n\", \"import torch\\n\", \"torch.cuda.memory_reserved()\"]");
}

TEST(AuditNotebook, InvalidJsonIsReportedAndUnchanged) {
  const Folder folder;
  const std::string broken = notebook("[\"import torch\\n\"").substr(0, 300) + "os.environ['CUDA_VISIBLE_DEVICES']";
  folder.put("a.ipynb", broken);
  const auto audit = run_audit({.operands = {folder.path().native()}});
  ASSERT_TRUE(audit);
  ASSERT_EQ(audit->problems.size(), 1u);
  EXPECT_NE(audit->problems[0].find("is no JSON at line "), std::string::npos) << audit->problems[0];
}

}  // namespace
}  // namespace weir::audit

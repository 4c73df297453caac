#include "jobs/record.hpp"

#include <gtest/gtest.h>

namespace weir::jobs {
namespace {

Record sample() {
  Record record;
  record.task = "fake";
  record.inputs = {{"/in/a%FF.png", "", {12, -5}, "00ff"}};
  record.outputs = {{"a.png", ".a.png.fake.tmp", {100, 1'795'273'246'583'932'421}, "ff00"}};
  record.parameters = {{"scale", 2.5}};
  record.identity = {{"network", "x"}};
  record.variant = 1;
  record.variant_name = "small";
  record.compute_config = {"cpu", "int16", "", "avx2"};
  record.device = "cpu:0";
  record.seed = 0xFFFF'FFFF'FFFF'FFFFU;
  record.stage_seconds = {{"network", 1.5}};
  record.finished_at = "2026-11-21T14:30:00Z";
  record.weir_version = "0.1.0";
  return record;
}

TEST(Record, IsUnchangedAfterWritingAndParsing) {
  const auto back = parse_record(to_text(sample()));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(to_text(*back), to_text(sample()));
  EXPECT_EQ(back->outputs[0].facts.mtime_ns, 1'795'273'246'583'932'421);
  EXPECT_EQ(back->seed, 0xFFFF'FFFF'FFFF'FFFFU);
  EXPECT_EQ(back->compute_config, sample().compute_config);
}

TEST(Record, AFailureIsUnchangedAfterWritingAndParsing) {
  Record record = sample();
  record.failure = Error{Errc::corrupt, "cut off"};
  const auto back = parse_record(to_text(record));
  ASSERT_TRUE(back && back->failure);
  EXPECT_EQ(back->failure->code, Errc::corrupt);
  EXPECT_EQ(back->failure->what, "cut off");
}

TEST(Record, DamageIsUnchangedAfterWritingAndParsing) {
  EXPECT_EQ(to_text(sample()).find("damaged"), std::string::npos);
  Record record = sample();
  record.damage = "the last 20 of 72 rows are filled: the file ends early";
  auto back = parse_record(to_text(record));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->damage, record.damage);
  record.failure = Error{Errc::corrupt, "not one row"};
  EXPECT_FALSE(parse_record(to_text(record))->allows_damaged_input);
  record.allows_damaged_input = true;
  EXPECT_TRUE(parse_record(to_text(record))->allows_damaged_input);
}

TEST(Record, ARecordCutOffAnywhereIsRefused) {
  const std::string whole = to_text(sample());
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(parse_record(whole.substr(0, length))) << length;
}

TEST(Record, AnotherFormatIsReported) {
  std::string text = to_text(sample());
  text.replace(text.find("\"format\":2"), 10, "\"format\":7");
  const auto other = parse_record(text);
  ASSERT_TRUE(other);
  EXPECT_EQ(other->other_format_message, "its checkpoint has format 7; this weir writes 2");
}

// <!-- retired words from here -->
TEST(Record, ARecordOfFormat1HasTheSameMeaning) {
  const std::string old =
      R"({"device":"cpu:0","facts":{},"finished":"2026-11-21T14:30:00Z","format":1,"identity":{"network":"x"},)"
      R"("inputs":[{"mtime_ns":-5,"path":"/in/a%FF.png","size":12,"xxh3_128":"00ff"}],)"
      R"("outputs":[{"mtime_ns":1795273246583932421,"path":"a.png","size":100,"temporary":".a.png.fake.tmp",)"
      R"("xxh3_128":"ff00"}],"parameters":{"ladder":["small"],"scale":2.5},)"
      R"("pixels":{"backend":"cpu","driver":"","instruction_set":"avx2","precision":"int16"},)"
      R"("rung":{"name":"small","number":1},"seconds":{"network":1.5},"seed":18446744073709551615,"task":"fake",)"
      R"("takes_damaged":true,"failure":{"code":"corrupt","what":"cut off"},"weir":"0.1.0"})"
      "\n";
  Record record = sample();
  record.parameters["variants"] = Json::array({"small"});
  record.failure = Error{Errc::corrupt, "cut off"};
  record.allows_damaged_input = true;
  const auto back = parse_record(old);
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_TRUE(back->other_format_message.empty());
  EXPECT_EQ(to_text(*back), to_text(record));
}
// <!-- to here -->

TEST(Record, DeepNestingIsRefused) {
  std::string deep = "{\"format\":2,\"task\":";
  deep += std::string(100'000, '[') + std::string(100'000, ']') + "}\n";
  EXPECT_FALSE(parse_record(deep));
}

TEST(RecordPaths, AreHiddenBesideTheOutputAndFitAFileSystem) {
  Item item{.task = "upscale", .inputs = {}, .outputs = {"out/" + std::string(250, 'n') + ".png"}};
  const RecordPaths paths = record_paths(item, {});
  for (const auto& path : {paths.done, paths.intent, paths.failed, temporary_path(item, item.outputs[0])}) {
    EXPECT_EQ(path.parent_path(), "out");
    EXPECT_LE(path.filename().native().size(), 255u);
    EXPECT_TRUE(is_record_name(path.filename().native())) << path;
  }
  item.outputs = {"out/a.png"};
  EXPECT_EQ(record_paths(item, {}).done, "out/.a.png.upscale.done");
  EXPECT_EQ(temporary_path(item, item.outputs[0]), "out/.a.png.upscale.tmp");
}

TEST(RecordPaths, OfOutputsWithEqualNamesDifferInARecordsFolder) {
  const Item one{.task = "upscale", .inputs = {}, .outputs = {"x/a.png"}};
  const Item other{.task = "upscale", .inputs = {}, .outputs = {"y/a.png"}};
  EXPECT_EQ(record_paths(one, "records").done.parent_path(), "records");
  EXPECT_NE(record_paths(one, "records").done, record_paths(other, "records").done);
}

TEST(EncodedPath, AnyNameIsValidJsonAndIsDecodedUnchanged) {
  for (const std::string& name : {std::string{"plain é 漫画"}, std::string{"100 %25\n\x01"},
                                  std::string{"\xff\xfe/\\x"}, std::string{"%"}, std::string{"a%4"}}) {
    EXPECT_EQ(decode_path(encode_path(name)).native(), name);
    EXPECT_TRUE(Json::accept(Json(encode_path(name)).dump()));
  }
}

}  // namespace
}  // namespace weir::jobs

#include "jobs/record.hpp"

#include <gtest/gtest.h>

namespace weir::jobs {
namespace {

Record sample() {
  Record record;
  record.task = "trial";
  record.inputs = {{"/in/a%FF.png", "", {12, -5}, "00ff"}};
  record.outputs = {{"a.png", ".a.png.trial.tmp", {100, 1'795'273'246'583'932'421}, "ff00"}};
  record.parameters = {{"scale", 2.5}};
  record.identity = {{"network", "x"}};
  record.variant = 1;
  record.variant_name = "small";
  record.pixels = {"cpu", "int16", "", "avx2"};
  record.device = "cpu:0";
  record.seed = 0xFFFF'FFFF'FFFF'FFFFU;
  record.seconds = {{"network", 1.5}};
  record.finished = "2026-11-21T14:30:00Z";
  record.version = "0.1.0";
  return record;
}

TEST(Record, ComesBackAsItWas) {
  const auto back = parse_record(to_text(sample()));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(to_text(*back), to_text(sample()));
  EXPECT_EQ(back->outputs[0].facts.mtime_ns, 1'795'273'246'583'932'421);
  EXPECT_EQ(back->seed, 0xFFFF'FFFF'FFFF'FFFFU);
  EXPECT_EQ(back->pixels, sample().pixels);
}

TEST(Record, AFailureComesBack) {
  Record record = sample();
  record.failure = Error{Errc::corrupt, "cut off"};
  const auto back = parse_record(to_text(record));
  ASSERT_TRUE(back && back->failure);
  EXPECT_EQ(back->failure->code, Errc::corrupt);
  EXPECT_EQ(back->failure->what, "cut off");
}

TEST(Record, WhatWasDamagedComesBack) {
  EXPECT_EQ(to_text(sample()).find("damaged"), std::string::npos);
  Record record = sample();
  record.damaged = "the last 20 of 72 rows are filled: the file ends early";
  auto back = parse_record(to_text(record));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->damaged, record.damaged);
  record.failure = Error{Errc::corrupt, "not one row"};
  EXPECT_FALSE(parse_record(to_text(record))->takes_damaged);
  record.takes_damaged = true;
  EXPECT_TRUE(parse_record(to_text(record))->takes_damaged);
}

TEST(Record, CutOffAnywhereItIsNone) {
  const std::string whole = to_text(sample());
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(parse_record(whole.substr(0, length))) << length;
}

TEST(Record, AnotherFormatIsSaidToBeOne) {
  std::string text = to_text(sample());
  text.replace(text.find("\"format\":1"), 10, "\"format\":7");
  const auto other = parse_record(text);
  ASSERT_TRUE(other);
  EXPECT_EQ(other->other_format, "its checkpoint has format 7; this weir writes 1");
}

TEST(Record, DeepNestingEndsNothing) {
  std::string deep = "{\"format\":1,\"task\":";
  deep += std::string(100'000, '[') + std::string(100'000, ']') + "}\n";
  EXPECT_FALSE(parse_record(deep));
}

TEST(RecordPlaces, AreHiddenBesideTheOutputAndFitAFileSystem) {
  Item item{.task = "upscale", .inputs = {}, .outputs = {"out/" + std::string(250, 'n') + ".png"}};
  const RecordPlaces places = record_places(item, {});
  for (const auto& path : {places.done, places.intent, places.failed, temporary_of(item, item.outputs[0])}) {
    EXPECT_EQ(path.parent_path(), "out");
    EXPECT_LE(path.filename().native().size(), 255u);
    EXPECT_TRUE(is_record_name(path.filename().native())) << path;
  }
  item.outputs = {"out/a.png"};
  EXPECT_EQ(record_places(item, {}).done, "out/.a.png.upscale.done");
  EXPECT_EQ(temporary_of(item, item.outputs[0]), "out/.a.png.upscale.tmp");
}

TEST(RecordPlaces, OfAFolderKeepOutputsOfOneNameApart) {
  const Item one{.task = "upscale", .inputs = {}, .outputs = {"x/a.png"}};
  const Item other{.task = "upscale", .inputs = {}, .outputs = {"y/a.png"}};
  EXPECT_EQ(record_places(one, "marks").done.parent_path(), "marks");
  EXPECT_NE(record_places(one, "marks").done, record_places(other, "marks").done);
}

TEST(EncodedPath, HoldsAnyNameAndComesBack) {
  for (const std::string& name : {std::string{"plain é 漫画"}, std::string{"100 %25\n\x01"},
                                  std::string{"\xff\xfe/\\x"}, std::string{"%"}, std::string{"a%4"}}) {
    EXPECT_EQ(decode_path(encode_path(name)).native(), name);
    EXPECT_TRUE(Json::accept(Json(encode_path(name)).dump()));
  }
}

}  // namespace
}  // namespace weir::jobs

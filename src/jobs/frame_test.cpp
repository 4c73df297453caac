#include "jobs/frame.hpp"

#include <gtest/gtest.h>

namespace weir::jobs {
namespace {

TEST(Frame, MessagesSplitAnywhereAreReadComplete) {
  const std::string stream = *to_frame("first") + *to_frame("") + *to_frame(std::string(1000, 'x'));
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    FrameReader reader;
    std::vector<std::string> got;
    for (const auto& part : {stream.substr(0, cut), stream.substr(cut)}) {
      reader.feed(part);
      for (auto message = reader.next(); message && *message; message = reader.next()) got.push_back(**message);
    }
    ASSERT_EQ(got, (std::vector<std::string>{"first", "", std::string(1000, 'x')})) << cut;
  }
}

TEST(Frame, AMessageThatIsTooLongIsNeitherSentNorRead) {
  EXPECT_FALSE(to_frame(std::string(kMaxMessageBytes + 1, 'x')));
  std::string huge = *to_frame("x");
  huge.replace(4, 4, "\xff\xff\xff\x7f");  // the length in the header
  FrameReader reader;
  reader.feed(huge);
  ASSERT_FALSE(reader.next());
  EXPECT_EQ(reader.next().error().code, Errc::corrupt);
}

TEST(Frame, AnotherVersionIsNamed) {
  std::string other = *to_frame("x");
  other[2] = 9;  // the version in the header
  FrameReader reader;
  reader.feed(other);
  const auto refused = reader.next();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
  EXPECT_NE(refused.error().what.find("version 9"), std::string::npos);
}

TEST(Frame, OtherBytesAreRefused) {
  FrameReader reader;
  reader.feed("GET / HTTP/1.1\r\n");
  EXPECT_FALSE(reader.next());
}

}  // namespace
}  // namespace weir::jobs

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace weir::jobs {

using Json = nlohmann::json;

/// Parses the text of a JSON object. Leaves out values that are nested deeper than 16 levels. Never throws. Errors:
/// corrupt.
Result<Json> parse_object(std::string_view text);

/// Returns compact JSON text. Bytes that are not UTF-8 become replacement characters, so encode paths with
/// encode_path() first.
std::string dump(const Json& json);

// These functions return the value of the field `key`. If it is missing or has another type, they return
// an empty text, 0, false or an empty object; descriptor_field() returns -1. count_field() and bytes_field() accept only
// unsigned integers.
std::string text_field(const Json& object, const char* key);
double number_field(const Json& object, const char* key);
std::uint64_t count_field(const Json& object, const char* key);
bool bool_field(const Json& object, const char* key);
Bytes bytes_field(const Json& object, const char* key);
int descriptor_field(const Json& object, const char* key);  ///< a file descriptor; -1: none
Json object_field(const Json& object, const char* key);

/// Converts any path to UTF-8 text: writes '%', control characters and bytes that are not UTF-8 as %XX.
std::string encode_path(const std::filesystem::path& path);
/// Converts the text of encode_path() back to the path.
std::filesystem::path decode_path(std::string_view text);

/// Returns a JSON array of texts or paths, which may contain any bytes; each is encoded with encode_path().
template <class Texts>
Json encode_texts(const Texts& texts) {
  Json json = Json::array();
  for (const auto& text : texts) json.push_back(encode_path(text));
  return json;
}
/// Reads and decodes an array that encode_texts() wrote. Returns an empty list if the field is missing or no array.
std::vector<std::string> encoded_texts_field(const Json& object, const char* key);

Json to_json(const Error& error);
Error error_from_json(const Json& json);  ///< an unknown error code reads as unsupported

}  // namespace weir::jobs

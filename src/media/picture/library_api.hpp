#pragma once

#include <string>

#include <fmt/format.h>

#include "base/shared_library.hpp"

namespace weir::media {

// What a struct of pointers to a library's functions is made of: for a list of the functions' names, LIST(X), it has the members
// LIST(WEIR_API_POINTER), and its for_each_function(visit) does LIST(WEIR_API_VISIT).
#define WEIR_API_POINTER(name) decltype(&::name) name = nullptr;  // NOLINT(bugprone-macro-parentheses): it declares
#define WEIR_API_VISIT(name) visit(#name, name);

/// A library with a table of functions, loaded when it is first needed.
struct LibraryName {
  std::string file;     ///< with the version of its binary interface: "libtiff.so.6"
  std::string name;     ///< what is needed, in words: "libtiff 4.5 or later"
  std::string package;  ///< Debian's
};

/// The functions of `Api`, a struct of pointers that calls `visit(name, pointer)` for each in `for_each_function(visit)`.
/// Errors: unsupported, if the library is not installed or lacks one.
template <class Api>
Result<Api> load_api(const LibraryName& names) {
  const auto library = SharedLibrary::open(names.file, SharedLibrary::Binding::lazy);
  if (!library)
    return Error{Errc::unsupported, fmt::format("needs {}, which is not here ({}); install {}", names.name,
                                                library.error().what, names.package)};
  Api api;
  std::string missing;
  api.for_each_function([&](const char* name, auto*& function) {
    if (!library->find(name, function)) missing = name;
  });
  if (!missing.empty())
    return Error{Errc::unsupported, fmt::format("needs {}: {} is missing from it", names.name, missing)};
  return api;
}

/// What an Api's get() gives, from what it has loaded once.
template <class Api>
Result<const Api*> to_pointer(const Result<Api>& loaded) {
  if (!loaded) return loaded.error();
  return &*loaded;
}

}  // namespace weir::media

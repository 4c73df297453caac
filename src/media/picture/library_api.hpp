#pragma once

#include <string>

#include <fmt/format.h>

#include "base/shared_library.hpp"

namespace weir::media {

// Two macros for a struct of pointers to the functions of a library. The file that declares such a struct has a macro
// that applies its parameter X to the name of each function, such as WEIR_TIFF_FUNCTIONS(X) in tiff_api.hpp. That
// file uses its macro twice: with X = WEIR_API_POINTER to declare the members of the struct, and with X =
// WEIR_API_VISIT as the body of the member function for_each_function(visit).
#define WEIR_API_POINTER(name) decltype(&::name) name = nullptr;  // NOLINT(bugprone-macro-parentheses): a declaration
#define WEIR_API_VISIT(name) visit(#name, name);

/// The names of a library that weir loads only when it is needed.
struct LibraryName {
  std::string file;     ///< file name with the version of the binary interface: "libtiff.so.6"
  std::string name;     ///< name and version for messages: "libtiff 4.5 or later"
  std::string package;  ///< name of the Debian package
};

/// Loads a library, which stays loaded, and returns pointers to the functions that `Api` lists. `Api` is a struct of
/// function pointers; its member function for_each_function(visit) calls visit(name, pointer) for each function.
/// Errors: unsupported, if the library is not installed or lacks a function.
template <class Api>
Result<Api> load_api(const LibraryName& names) {
  const auto library = SharedLibrary::open(names.file, SharedLibrary::Binding::lazy);
  if (!library)
    return Error{Errc::unsupported, fmt::format("needs {}, which cannot be loaded ({}); install {}", names.name,
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

/// Returns a pointer to the value in `loaded`, or the error in it. `loaded` must outlive the pointer.
template <class Api>
Result<const Api*> to_pointer(const Result<Api>& loaded) {
  if (!loaded) return loaded.error();
  return &*loaded;
}

}  // namespace weir::media

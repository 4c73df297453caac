#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "audit/mask.hpp"

namespace weir::audit::python {

/// When a library reads the masks.
enum class MaskReadTime {
  at_first_use,  ///< at its first use; importing it is normally harmless, but a version or another library may differ
  at_import      ///< importing it asks the driver
};

struct Library {
  std::string_view module;  ///< full dotted name; its submodules are meant too
  MaskReadTime mask_read_time;
};

/// The library that importing this module loads; null if it is none of the GPU libraries that are known.
const Library* find_library(std::string_view module);

/// A call that makes the driver read the masks, by its full dotted name.
bool starts_driver(std::string_view name);
/// Whose driver a call starts, or a library uses; none where it works with several vendors' devices.
std::optional<Vendor> vendor_of(std::string_view name);
/// A program that uses no GPU, whatever its arguments: "git", "ls".
bool is_non_gpu_program(std::string_view command);
/// A library that asks a server: its user's own process works on no GPU through it.
bool is_client_library(std::string_view module);
/// The text of a condition asks whether there is a vendor's GPU, and nothing else: no switch of the user is part of it.
bool is_gpu_test(std::string_view condition);
/// The text is the plain question whether there is a GPU: who insists on it works on one.
bool requires_gpu(std::string_view condition);
/// The text of a condition asks how many there are.
bool tests_device_count(std::string_view condition);
/// A call that looks at the UUID, PCI address or name of the device in use.
bool reads_device_identity(std::string_view name);
/// A call that starts another process or hands a command to a shell.
bool starts_process(std::string_view name);
/// Makes a pool whose workers are processes, or threads.
bool creates_process_pool(std::string_view name);
bool creates_thread_pool(std::string_view name);
/// A method of a pool that takes a function first: map, submit.
bool passes_function_to_worker(std::string_view method);
/// A keyword that gives a new process the function that it starts with.
bool is_init_keyword(std::string_view keyword);
/// An application of a web framework, or a part of one: whoever starts the server imports the module.
bool creates_server(std::string_view name);
/// The methods of a class that its runner calls: of cog's BasePredictor setup and predict; empty if it is none.
std::span<const std::string_view> methods_called_by_runner(std::string_view base);
/// What replaced a call that PyTorch deprecated; empty if it is no such call.
std::string_view replacement_of(std::string_view name);

/// Where a call takes a device.
struct DeviceParameter {
  std::string_view name;     ///< full dotted name, or ".method" of any object
  int position;              ///< of the device among the arguments; -1: by keyword alone
  std::string_view keyword;  ///< empty: by position alone
  Vendor vendor;             ///< of a bare number
  bool accepts_number;       ///< a bare number is a device too
};
const DeviceParameter* find_device_parameter(std::string_view name);

/// A keyword that names a device in calls of whatever library; `numbers`: a bare number counts, too.
struct DeviceKeyword {
  std::string_view keyword;
  bool accepts_number;
};
const DeviceKeyword* find_device_keyword(std::string_view keyword);

/// A keyword that is given how many devices, as a number, or which, as a list.
bool takes_device_list(std::string_view call, std::string_view keyword);

/// A call that takes the number of a device as nvidia-smi counts.
bool takes_smi_index(std::string_view name);
/// What calls give: a number, or count, of devices as the runtime counts.
bool returns_runtime_index(std::string_view name);
bool returns_device_count(std::string_view name);
bool returns_device_list(std::string_view name);
/// What the user of the program chose: the command line, input, settings.
bool returns_user_choice(std::string_view name);

}  // namespace weir::audit::python

#ifndef WEIR_WEIR_H
#define WEIR_WEIR_H

/* weir's C interface: enlarges a picture in memory with a neural network inside a memory limit. No function throws
   or ends the process. weir/upscale.hpp is the C++ interface. */

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define WEIR_C_API __attribute__((visibility("default")))
#else
#define WEIR_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The result of a call. weir_last_error() returns the text that belongs to it. */
typedef enum weir_status {
  WEIR_OK = 0,
  WEIR_INVALID_ARGUMENT = 1, /* a null pointer; an option or a shape out of its range; no device, or several, match */
  WEIR_OVER_BUDGET = 2,      /* ram_bytes or vram_bytes is too small for the smallest plan; no memory is left */
  WEIR_UNSUPPORTED = 3,      /* weir does not support the network; the GPU or its driver lacks something, or is lost */
  WEIR_IO = 4,               /* a file cannot be read or written */
  WEIR_CORRUPT = 5,          /* a file is damaged */
  WEIR_CANCELLED = 6,        /* the progress function stopped the run */
  WEIR_BAD_VALUES = 7,       /* the network computed values that are not numbers, or one colour where there are many */
  WEIR_FAULT = 70            /* an internal error of weir */
} weir_status;

/* The format of a picture. Samples of a pixel are adjacent (interleaved): 1 channel is grey, 2 are grey and alpha, 3
   are RGB, 4 are RGB and alpha (straight, not premultiplied). `bits` of a sample is 8, or 16 in the byte order of
   the processor. `width` and `height` are numbers of pixels, 1 to 1048576. */
typedef struct weir_shape {
  int width, height, channels, bits;
} weir_shape;

/* How to enlarge a picture. Start with `weir_options options = WEIR_OPTIONS_INIT;`, which means: the scale of the
   network, half of the free memory, and every processor that the process may use.
   Later versions add members at the end of the struct. A program compiled with a smaller struct keeps working. A
   program that sets a member which the library does not have yet gets WEIR_INVALID_ARGUMENT. */
typedef struct weir_options {
  size_t struct_size;       /* sizeof(weir_options) */
  double scale;             /* side of the result / side of the picture; 0: the scale of the network */
  int width, height;        /* size of the result in pixels; 0: follows from the other one; both 0: from `scale` */
  uint64_t ram_bytes;       /* limit of the main memory of the whole process; 0: half of the free memory */
  const char* spill_folder; /* folder for rows that do not fit within ram_bytes; null: nothing is written to disk */
  uint64_t spill_bytes;     /* limit of the bytes written to spill_folder; 0: nothing is written to disk */
  int threads;              /* number of threads, at most 1024; 0: as many as the process may use */
  int exact_precision, tta; /* 0 or 1: 32-bit floating point instead of 16 bits; average of eight orientations */
  const char* device;  /* null or "cpu": the CPU; "gpu": the best GPU; a part of a name, GPU-UUID or pci:0000:01:00.0 */
  uint64_t vram_bytes; /* limit of the GPU's memory; 0: the free memory of the GPU, less a margin */
  int strict_device;   /* 1: a fault of the GPU fails the run; 0: the work is repeated, at last on the CPU */
} weir_options;

#define WEIR_OPTIONS_INIT \
  { sizeof(weir_options), 0, 0, 0, 0, NULL, 0, 0, 0, 0, NULL, 0, 0 }

/* A network. Do not use it from two threads at once. */
typedef struct weir_network weir_network;

/* Receives the progress, 0 to 1, and the pointer `user` given to weir_upscale. Return 0 to go on; any other value
   stops the run with WEIR_CANCELLED. */
typedef int (*weir_progress)(double fraction, void* user);

/* Returns the version of the library, for example "0.1.0". The text is static. */
WEIR_C_API const char* weir_version(void);

/* Returns the text of the error of this thread's last call that returned a weir_status, in one line; "" if that call
   succeeded. The text is valid until the thread's next call that returns a weir_status. */
WEIR_C_API const char* weir_last_error(void);

/* Reads a network in ncnn's format: X.param, and X.bin next to it. On success *network is the network, which the caller
   must close with weir_close; otherwise *network is null. */
WEIR_C_API weir_status weir_open(const char* param_path, weir_network** network);
/* Frees a network. Null is allowed. */
WEIR_C_API void weir_close(weir_network* network);
/* Returns the scale of the network; 0 for null. */
WEIR_C_API int weir_scale(const weir_network* network);

/* Computes the format of the result and the peak memory of the process in bytes. Reads no sample. `options`,
   `output` and `ram_bytes` may be null. */
WEIR_C_API weir_status weir_plan(weir_network* network, const weir_shape* input, const weir_options* options,
                                 weir_shape* output, uint64_t* ram_bytes);

/* Enlarges the picture `input` of the format `shape` into `output`, which the caller allocates for the format that
   weir_plan returns. `input_stride` and `output_stride` are the distances from one row to the next in bytes, at least
   the bytes of a row.
   `options` and `progress` may be null. After an error the samples of `output` are undefined. */
WEIR_C_API weir_status weir_upscale(weir_network* network, const weir_shape* shape, const weir_options* options,
                                    const void* input, size_t input_stride, void* output, size_t output_stride,
                                    weir_progress progress, void* user);

#ifdef __cplusplus
}
#endif

#endif

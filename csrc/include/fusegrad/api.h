// FUSEGRAD_API marks what libfusegrad_core exports.
// Everything else is hidden, so the library's surface is what these headers say.
// Classes that cross it by exception or by type need the mark for one shared typeinfo.
#pragma once

#if defined(_WIN32)
#if defined(FUSEGRAD_BUILDING_CORE)
#define FUSEGRAD_API __declspec(dllexport)
#else
#define FUSEGRAD_API __declspec(dllimport)
#endif
#else
#define FUSEGRAD_API __attribute__((visibility("default")))
#endif

// What an extension module of another package needs to hand an OpDef to Python.
//
//   PyObject* capsule = PyCapsule_New(const_cast<OpDef*>(&op), fusegrad::kOpDefCapsule, nullptr);
//
// fusegrad.ops.custom_op(capsule) makes a function of it. The OpDef and its name live as long as
// the process.
#pragma once

#include "fusegrad/array.h"
#include "fusegrad/batch.h"
#include "fusegrad/builder.h"
#include "fusegrad/emit.h"
#include "fusegrad/error.h"
#include "fusegrad/op.h"
#include "fusegrad/parallel.h"

// Counts the changes of these headers that compiled extensions do not survive.
#define FUSEGRAD_ABI "1"

namespace fusegrad {

constexpr const char* kOpDefCapsule = "fusegrad.OpDef." FUSEGRAD_ABI;

}  // namespace fusegrad

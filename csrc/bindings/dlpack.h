// DLPack: arrays handed to other libraries, and taken from them, without a copy. The structs are
// the public ABI of DLPack 1. Included by the generated _tensor source only.
#pragma once

#include <Python.h>

#include <cstring>

#include "fusegrad/array.h"
#include "tensor_support.h"

namespace fusegrad {
namespace binding {

constexpr int32_t kDLCPU = 1;
enum DLDataTypeCode : uint8_t { kDLInt = 0, kDLUInt = 1, kDLFloat = 2, kDLBool = 6 };
constexpr uint64_t kDLReadOnly = 1;
constexpr uint64_t kDLIsCopied = 2;

struct DLDevice {
  int32_t device_type;
  int32_t device_id;
};
struct DLDataType {
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
};
struct DLTensor {
  void* data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t* shape;
  int64_t* strides;  // in elements; null: C order
  uint64_t byte_offset;
};
struct DLManagedTensor {
  DLTensor dl_tensor;
  void* manager_ctx;
  void (*deleter)(DLManagedTensor* self);
};
struct DLPackVersion {
  uint32_t major;
  uint32_t minor;
};
struct DLManagedTensorVersioned {
  DLPackVersion version;
  void* manager_ctx;
  void (*deleter)(DLManagedTensorVersioned* self);
  uint64_t flags;
  DLTensor dl_tensor;
};

template <typename Managed>
struct CapsuleName;
template <>
struct CapsuleName<DLManagedTensor> {
  static constexpr const char* fresh = "dltensor";
  static constexpr const char* used = "used_dltensor";
};
template <>
struct CapsuleName<DLManagedTensorVersioned> {
  static constexpr const char* fresh = "dltensor_versioned";
  static constexpr const char* used = "used_dltensor_versioned";
};

// What lies behind an exported tensor; its deleter may be called by any thread.
template <typename Managed>
struct Exported {
  Managed managed = {};
  Array array;
  int64_t sizes[2 * kMaxRank] = {};
};

inline DLDataType dlpack_dtype(DType dtype) {
  const auto bits = static_cast<uint8_t>(8 * itemsize(dtype));
  if (is_floating(dtype)) return {kDLFloat, bits, 1};
  if (dtype == DType::boolean) return {kDLBool, bits, 1};
  return {dtype == DType::uint8 ? kDLUInt : kDLInt, bits, 1};
}

inline bool dtype_of_dlpack(const DLDataType& type, DType* dtype) {
  for (const DType candidate :
       {DType::float32, DType::float64, DType::int32, DType::int64, DType::uint8, DType::boolean}) {
    const DLDataType known = dlpack_dtype(candidate);
    if (type.code == known.code && type.bits == known.bits && type.lanes == 1) {
      *dtype = candidate;
      return true;
    }
  }
  return false;
}

template <typename Managed>
void release_unused(PyObject* capsule) {
  if (PyCapsule_IsValid(capsule, CapsuleName<Managed>::fresh) == 0) return;  // it has been taken
  auto* managed = static_cast<Managed*>(PyCapsule_GetPointer(capsule, CapsuleName<Managed>::fresh));
  managed->deleter(managed);
}

template <typename Managed>
Exported<Managed>* exported(const Array& array) {
  auto* owner = new Exported<Managed>();
  owner->array = array;
  const View& view = array.view();
  for (int i = 0; i < view.rank(); ++i) {
    owner->sizes[i] = view.shape[i];
    owner->sizes[kMaxRank + i] = view.strides[i];
  }
  owner->managed.dl_tensor = {view.data,
                              {kDLCPU, 0},
                              view.rank(),
                              dlpack_dtype(view.dtype),
                              owner->sizes,
                              owner->sizes + kMaxRank,
                              0};
  owner->managed.manager_ctx = owner;
  owner->managed.deleter = [](Managed* self) {
    delete static_cast<Exported<Managed>*>(self->manager_ctx);
  };
  return owner;
}

template <typename Managed>
PyObject* capsule_of(Exported<Managed>* owner) {
  PyObject* const capsule =
      PyCapsule_New(&owner->managed, CapsuleName<Managed>::fresh, &release_unused<Managed>);
  if (capsule == nullptr) delete owner;
  return capsule;
}

// A capsule over the memory of `array`; null with a Python error set.
inline PyObject* to_dlpack(const Array& array, bool versioned, bool copied) {
  if (!versioned) return capsule_of(exported<DLManagedTensor>(array));
  auto* owner = exported<DLManagedTensorVersioned>(array);
  owner->managed.version = {1, 0};
  owner->managed.flags = copied ? kDLIsCopied : kDLReadOnly;
  return capsule_of(owner);
}

// What another library lent us goes back with the interpreter lock held: its deleter may need it.
template <typename Managed>
void give_back(void* owner) {
  if (Py_IsInitialized() == 0) return;
  auto* managed = static_cast<Managed*>(owner);
  const PyGILState_STATE state = PyGILState_Ensure();
  if (managed->deleter != nullptr) managed->deleter(managed);
  PyGILState_Release(state);
}

template <typename Managed>
bool take_over(PyObject* capsule, Managed* managed, Array* array) {
  const DLTensor& tensor = managed->dl_tensor;
  View view;
  if (tensor.device.device_type != kDLCPU || tensor.ndim < 0 || tensor.ndim > kMaxRank ||
      !dtype_of_dlpack(tensor.dtype, &view.dtype)) {
    return false;
  }
  const int64_t item = itemsize(view.dtype);
  char* const data = static_cast<char*>(tensor.data) + tensor.byte_offset;
  if (reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(item) != 0) return false;
  view.data = data;
  for (int i = 0; i < tensor.ndim; ++i) view.shape.push_back(tensor.shape[i]);
  view.strides = c_strides(view.shape);
  for (int i = 0; i < tensor.ndim; ++i) {
    if (tensor.strides != nullptr) view.strides[i] = tensor.strides[i];
  }
  *array = borrowed(view, managed, &give_back<Managed>);
  PyCapsule_SetName(capsule, CapsuleName<Managed>::used);
  return true;
}

// The array of a capsule, which is used up; false where its elements cannot be used as they lie.
inline bool from_dlpack(PyObject* capsule, Array* array) {
  using Versioned = DLManagedTensorVersioned;
  if (PyCapsule_IsValid(capsule, CapsuleName<Versioned>::fresh) != 0) {
    auto* managed =
        static_cast<Versioned*>(PyCapsule_GetPointer(capsule, CapsuleName<Versioned>::fresh));
    return managed->version.major == 1 && take_over(capsule, managed, array);
  }
  if (PyCapsule_IsValid(capsule, CapsuleName<DLManagedTensor>::fresh) == 0) return false;
  return take_over(capsule,
                   static_cast<DLManagedTensor*>(
                       PyCapsule_GetPointer(capsule, CapsuleName<DLManagedTensor>::fresh)),
                   array);
}

}  // namespace binding
}  // namespace fusegrad

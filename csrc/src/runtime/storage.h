// The text of a failed allocation, shared by Storage and Array.
// A size of 7.45 GiB reads so, with three digits, as NumPy writes it.
// Sizes past int64 come as double.
#pragma once

#include <string>

namespace fusegrad {

// "Unable to allocate 7.45 GiB".
std::string allocation_failure(double bytes);

}  // namespace fusegrad

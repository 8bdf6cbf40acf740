// $GENERATE of zone files, as BIND 9 reads it: a line for each number of a range.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace quorate::dns {

// Calls `line` for each number of `range` ("1-254", "0-510/2") with `pattern` in which the number stands for
// every `$`; `${offset,width,base}` moves, pads and prints it (base d, o, x, X, n or N), `\$` is a dollar.
// Stops when `line` returns false. At most limits::kGenerateMax lines. The error says what is malformed.
std::optional<std::string> Generate(std::string_view range, std::string_view pattern,
                                    const std::function<bool(const std::string&)>& line);

}  // namespace quorate::dns

// libfmt's own functions, compiled into kdb where Debian has no archive of them: a shared libfmt brings the shared
// libstdc++ with it, and the dynamic linker then spends more time on their symbols than a short command on its work.
#include <fmt/format-inl.h>

template auto fmt::detail::dragonbox::to_decimal(float x) noexcept -> dragonbox::decimal_fp<float>;
template auto fmt::detail::dragonbox::to_decimal(double x) noexcept -> dragonbox::decimal_fp<double>;
template auto fmt::detail::thousands_sep_impl(locale_ref) -> thousands_sep_result<char>;
template auto fmt::detail::decimal_point_impl(locale_ref) -> char;
template void fmt::detail::buffer<char>::append(const char*, const char*);
#if FMT_VERSION >= 100000
template void fmt::detail::vformat_to(buffer<char>&, string_view, typename vformat_args<>::type, locale_ref);
#endif

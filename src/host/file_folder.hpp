#pragma once

#include <functional>
#include <string>

#include <sys/types.h>

namespace kdb::host {

/// Whom root has to be to touch the path and be led nowhere: the first owner other than root of what the way
/// there leads through, symbolic links and its end included; 0 if all is root's. Throws Error(failed) where
/// it leads nowhere.
uid_t owner_of_way(const std::string& path);

/// Does `work` in the folder that a file is in, given a descriptor of it, and returns what it returned. As
/// root it is done by a process of the owner of the way (owner_of_way) to that folder, so that he gets no
/// further on a way of his own making than he would alone; before him comes the owner of the way to
/// `named_by`, the file that names another folder than its own (else the same, or empty). From the main
/// thread, as fork_as has it. Throws Error(failed), `work`'s own among them, or where the folder cannot be
/// opened.
std::string in_folder_of(const std::string& path, const std::string& named_by,
                         const std::function<std::string(int folder)>& work);

/// The error for a call on a file that failed, with what to do where it is for want of rights.
[[noreturn]] void throw_file_error(const std::string& what, const std::string& path, int error);

}  // namespace kdb::host

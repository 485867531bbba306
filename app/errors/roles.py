"""Roles and their assignments."""

from app.errors.base import PortalError


class RoleAlreadyExists(PortalError):
    key = "ROLE_ALREADY_EXISTS"
    title = "There is a role of this name"
    solution = "Choose another name, or change the role that has it."


class RoleInUse(PortalError):
    key = "ROLE_IN_USE"
    title = "The role is assigned to someone"
    solution = "Remove the role's assignments first; /organisation/role-assignments lists them."


class RoleAlreadyAssigned(PortalError):
    key = "ROLE_ALREADY_ASSIGNED"
    title = "The subject has this role already"
    solution = "Nothing to do: the role is assigned."


class LastAdministrator(PortalError):
    key = "LAST_ADMINISTRATOR"
    title = "This is the organisation's last administrator"
    solution = "Make someone else an administrator first."

-- kdb:ignore-file prefer-text-field: as the other system has it
CREATE TABLE a (b varchar(3), c varchar(4));

-- Accounts of the local MySQL in a container, the same as of the native one (stack/accounts.py; a test compares).
-- Not in the binlog: a replica makes the same accounts for itself.
SET SESSION sql_log_bin = 0;
CREATE USER 'waybill'@'%' IDENTIFIED BY 'waybill-local';
GRANT ALL ON *.* TO 'waybill'@'%' WITH GRANT OPTION;
CREATE USER 'debezium'@'%' IDENTIFIED BY 'debezium-local';
GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT, LOCK TABLES ON *.* TO 'debezium'@'%';
GRANT FLUSH_TABLES ON *.* TO 'debezium'@'%';
GRANT ALL ON `waybill`.* TO 'debezium'@'%';
GRANT ALL ON `waybill\_%`.* TO 'debezium'@'%';
CREATE USER 'replica'@'%' IDENTIFIED BY 'replica-local';
GRANT REPLICATION SLAVE ON *.* TO 'replica'@'%';
